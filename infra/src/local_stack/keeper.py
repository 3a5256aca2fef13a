"""Runs one command and leaves no process of it behind, however its owner ends.

    keeper.py LIFELINE SCRATCH LOG COMMAND...

LIFELINE is "-" for standard input, which ends when the owner does, even when it is killed: the kernel closes the
pipe. Or it is a file, for a command that shall outlive its owner: the keeper goes when that file is removed.
Then, or on SIGTERM, SIGINT or SIGHUP, or when the command itself ends, every process below is killed and the folder
SCRATCH removed.

Python's standard library only, no package, any Python from 3.10 on.
"""

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
POLL_SECONDS = 0.1

_LINUX = sys.platform.startswith("linux")
_LIBC = ctypes.CDLL(None, use_errno=True) if _LINUX else None


def main(lifeline, scratch, log, command):
    # Out of the terminal's foreground group: Ctrl-C reaches the owner alone, and its end reaches us by the lifeline.
    try:
        os.setsid()
    except OSError:
        pass
    if _LINUX:
        # Orphans below become our children instead of init's, so none can get out of sight.
        _LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    stop = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.append(True))

    with open(log, "ab", buffering=0) as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=_in_own_group_and_not_longer_than_the_keeper,
        )
    ended = None
    try:
        while not stop and ended is None and _is_held(lifeline):
            ended = child.poll()
    finally:
        _kill_everything_below(child)
        shutil.rmtree(scratch, ignore_errors=True)
    # What was stopped on purpose did not fail; what a signal ended by itself did, as a shell reports it.
    if ended is None:
        return 0
    return ended if ended >= 0 else 128 - ended


def _in_own_group_and_not_longer_than_the_keeper():
    os.setpgid(0, 0)
    if _LINUX:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _is_held(lifeline):
    """Waits for a moment; False when the owner let go."""
    if lifeline != "-":
        time.sleep(POLL_SECONDS)
        return os.path.exists(lifeline)
    try:
        readable, _, _ = select.select([sys.stdin], [], [], POLL_SECONDS)
    except InterruptedError:
        return True
    return not readable or os.read(sys.stdin.fileno(), 1) != b""


def _kill_everything_below(child):
    # The group holds all that did not leave it, on every Unix; the walk finds the rest on Linux. Repeated, because a
    # process may fork between being seen and being killed, and bounded, because one in the kernel's hands dies late.
    for _ in range(200):
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        for pid in _descendants(os.getpid()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        child.poll()
        if not _reap():
            return
        time.sleep(0.01)


def _reap():
    """Collects the dead; False when no child is left."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True


def _descendants(root):
    children = {}
    try:
        names = os.listdir("/proc") if _LINUX else []
    except OSError:
        names = []
    for name in names:
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as stat:
                # The command's name stands in parentheses and may itself hold any of them.
                parent = int(stat.read().rpartition(b")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue
        children.setdefault(parent, []).append(int(name))
    found, open_ends = [], [root]
    while open_ends:
        below = children.get(open_ends.pop(), [])
        found += below
        open_ends += below
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]))
