"""Running a stage's command: signals reach it, it does not outlive us, and no two runs work in one folder."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# A training that is asked to stop finishes its iteration and writes a checkpoint.
PATIENCE = 120.0
_PARENT_DEATH_SIGNAL = 1


class Stopped(Exception):
    """A signal asked us to stop."""


def run_command(command: Sequence[str], lock: int) -> int:
    """Run a command to its end.

    Args:
        command: its words.
        lock: file descriptor of :func:`locked`; the command holds the lock too, as it may outlive us for a moment.

    Returns:
        Its exit status; -N if signal N killed it.

    Raises:
        Stopped: a signal came and was passed on; the command has ended.
    """
    environment = {**os.environ, 'PYTHON': sys.executable}
    library = ctypes.CDLL(None) if sys.platform == 'linux' else None

    def die_with_parent() -> None:
        if library is not None:
            library.prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM)

    # A session of its own: Ctrl-C reaches it through us, once.
    with (
        subprocess.Popen(
            list(command), env=environment, start_new_session=True, preexec_fn=die_with_parent, pass_fds=(lock,)
        ) as process,
        _signals_passed_on(process) as received,
    ):
        status = process.wait()
    if received:
        raise Stopped
    return status


@contextmanager
def _signals_passed_on(process: subprocess.Popen[Any]) -> Iterator[list[int]]:
    received: list[int] = []

    def pass_on(kind: int, _frame: Any) -> None:
        received.append(kind)
        process.send_signal(kind)

    before = {kind: signal.signal(kind, pass_on) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Makes sure that no other run works in a folder; gives the lock's file descriptor.

    The command of a run that was killed may still be writing its checkpoint: that is waited for.

    Raises:
        ValueError: another run is going on there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / '.lock', os.O_RDWR | os.O_CREAT)
    try:
        _acquire(descriptor, folder)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, folder: Path) -> None:
    limit, told = time.monotonic() + PATIENCE, False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            owner = os.pread(descriptor, 20, 0).decode()
        if _is_alive(owner) or time.monotonic() > limit:
            raise ValueError(f'{folder}: another run of this experiment is going on (process {owner}); stop it first')
        if not told:
            print('Waiting for a stage of the earlier run to stop ...', flush=True)
            told = True
        time.sleep(0.2)


def _is_alive(owner: str) -> bool:
    try:
        os.kill(int(owner), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
