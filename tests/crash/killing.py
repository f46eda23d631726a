"""A function in a process of its own, killed with kill -9 at some moment."""
import os
import signal
import time
import traceback


def killed(function, seconds):
    """Run ``function()`` in a forked process and kill it after so long; whether it was still running.

    RuntimeError when the function itself failed.
    """
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            function()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return _alive(status)
        time.sleep(min(0.002, max(0.0, end - time.monotonic())))
    os.kill(pid, signal.SIGKILL)
    return _alive(os.waitpid(pid, 0)[1])


def _alive(status):
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    if status:
        raise RuntimeError(f"the process failed by itself, status {status}")
    return False
