"""Contestants in processes of their own that take turns: what the benchmarks of layers and of training share.

``Worker`` is the side of the benchmark, ``serve`` that of the process: commands on stdin, answers in JSON on stdout.
"""
import json
import os
import subprocess
import sys
import time

BURST = 1e-3         # seconds
FEWEST = 3           # bursts, however long a call takes
PAUSE = 0.02         # seconds before a turn, in which the threads of the one before fall asleep
POOLS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "FASTNN_NUM_THREADS")


class Worker:
    """A contestant's process: a script of this folder with arguments."""

    def __init__(self, script, *arguments, environment, interpreter=sys.executable):
        import recorded
        command = recorded.child(os.path.join(os.path.dirname(__file__), script), *map(str, arguments))
        if interpreter != sys.executable:              # an environment of its own
            command["args"][0] = interpreter
            command["env"].pop("PYTHONPATH")
        command["env"] |= environment
        self.process = subprocess.Popen(**command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, request):
        """The answer to a request. Raises RuntimeError if the process ended instead."""
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass                                  # it has ended: there is no answer either
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.process.args[-3:]} ended with status {self.process.wait()}")
        return json.loads(answer)

    def stop(self):
        """Let the process end by itself; it does when nobody asks any more."""
        self.process.stdin.close()
        self.process.wait(timeout=60)


def on_threads(threads):
    """The environment in which libraries use so many threads."""
    return dict.fromkeys(POOLS, str(threads))


def take_turns(workers, requests, pause=PAUSE):
    """Yield (name, answer) of all workers, one request after the other; they are stopped at the end, whatever
    happens."""
    try:
        for request in requests:
            for name, worker in workers.items():
                time.sleep(pause)
                yield name, worker.ask(request)
    finally:
        for worker in workers.values():
            worker.stop()


def keep_to_cpus(threads):
    """Let this process run on as many CPUs as it may have threads; libraries look when they are imported."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def own_stdout():
    """The real stdout, for answers; what libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def serve(answers, actions, check, more=dict):
    """Check and time each action, {work: (run a number of calls, give the last results)}, whenever somebody asks.

    ``check(work, results)`` raises unless they are right; ``more()`` is what each answer says besides.
    """
    calls = {}
    for work, (run, results) in actions.items():
        run(1)
        check(work, results())
        calls[work] = max(1, round(BURST / max(timed(run, 1), 1e-9)))
    for line in sys.stdin:
        answer = {work: bursts(run, calls[work], json.loads(line)["seconds"]) for work, (run, _) in actions.items()}
        print(json.dumps(answer | more()), file=answers, flush=True)


def timed(run, calls):
    """Seconds a call."""
    start = time.perf_counter()
    run(calls)
    return (time.perf_counter() - start) / calls


def bursts(run, calls, seconds):
    """Seconds a call, one number a burst."""
    durations, end = [], time.perf_counter() + seconds
    run(1)
    while len(durations) < FEWEST or time.perf_counter() < end:
        durations.append(timed(run, calls))
    return durations


def repeated(action):
    """A function that calls an action so often, and one that gives the last results."""
    last = {}

    def run(calls):
        for _ in range(calls):
            last.update(action())
    return run, lambda: last
