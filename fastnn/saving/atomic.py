"""Writing a file so that a crash, a kill or a full disk leaves the old one or the new one, and never a part.

The bytes go to a file beside the target, to the disk (fsync), and then take the target's name in one step (rename),
which is made to last by an fsync of the folder. A killed process leaves its file beside; the next save of the same
target sweeps it away.
"""
from __future__ import annotations

import fcntl
import os
import re
import stat

MODE = 0o666         # of a new file, less what the umask takes away


def write(path: str | os.PathLike, data: bytes | bytearray) -> None:
    """Make ``data`` the content of the file at ``path``, whole or not at all.

    Raises OSError, the old file left as it was; FileExistsError for a pipe or a device, which no file
    replaces. The mode of a file that exists is kept; a symbolic link stays one, and what it points to is replaced.
    """
    target = os.path.realpath(os.fsdecode(path))
    folder, name = os.path.split(target)
    if os.path.isdir(target):
        raise IsADirectoryError(f"cannot save to {os.fspath(path)!r}: it is a folder")
    if os.path.exists(target) and not os.path.isfile(target):
        raise FileExistsError(f"cannot save to {os.fspath(path)!r}: it is no regular file, and no file can take its "
                              "place whole")
    sweep(folder, name)
    beside = os.path.join(folder, f".{_stem(name)}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, MODE)
    try:
        with open(descriptor, "wb") as file:
            fcntl.flock(descriptor, fcntl.LOCK_EX)           # kept while the process lives: so others see that it does
            if os.path.exists(target):
                os.fchmod(descriptor, stat.S_IMODE(os.stat(target).st_mode))
            file.write(data)
            file.flush()
            os.fsync(descriptor)
            os.replace(beside, target)
    except BaseException:
        if os.path.exists(beside):
            os.unlink(beside)
        raise
    _sync_folder(folder)


def sweep(folder: str, name: str) -> None:
    """Remove what killed processes have left beside the file ``name``."""
    pattern = re.compile(re.escape(f".{_stem(name)}.") + r"(\d+)-[0-9a-f]{8}\.tmp")
    for entry in os.listdir(folder):
        match = pattern.fullmatch(entry)
        if match and not _alive(int(match[1])):
            _remove_unlocked(os.path.join(folder, entry))


def _stem(name: str) -> str:
    """A name, or its begin, that leaves room for more: a name has at most 255 bytes."""
    return os.fsencode(name)[:200].decode("utf-8", "ignore")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:                  # another user's
        return True
    return True


def _remove_unlocked(path: str) -> None:
    """Remove a file that no process holds a lock of: the number of a process says nothing about another machine's."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return                       # somebody else was faster, or may
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
