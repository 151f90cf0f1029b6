"""Work in several processes: one function over many files, and how a loader's worker starts."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

import cv2

CHUNK = 4  # items that a process gets at once
AHEAD = 4  # chunks per process that are worked on before their results are asked for

Item = TypeVar('Item')
Result = TypeVar('Result')


def map_in_order(function: Callable[[Item], Result], items: Sequence[Item], nproc: int = 1) -> Iterator[Result]:
    """``function`` of each item, in the items' order.

    Args:
        function: of a module, or a ``functools.partial`` of one.
        items: its arguments.
        nproc: number of processes; 1 works in this one.

    Raises:
        ChildProcessError: a process was killed (memory).
    """
    if nproc <= 1:
        yield from map(function, items)
        return
    # Fresh interpreters: a copy of a process whose threads hold locks (OpenCV, PyTorch) would wait for them forever.
    context = multiprocessing.get_context('spawn')
    waiting: deque[Future[list[Result]]] = deque()
    pool = ProcessPoolExecutor(nproc, context, initializer=cv2.setNumThreads, initargs=(1,))
    try:
        for start in range(0, len(items), CHUNK):
            # Results that nobody has asked for yet fill the memory.
            if len(waiting) >= AHEAD * nproc:
                yield from waiting.popleft().result()
            waiting.append(pool.submit(_each, function, items[start : start + CHUNK]))
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool:
        raise ChildProcessError('a process was killed (out of memory?): run again with a smaller --nproc') from None
    finally:
        pool.shutdown(cancel_futures=True)


def _each(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    return [function(item) for item in items]


def start_worker(worker_id: int) -> None:
    """A loader's process: one thread of work, and signals to all of a run are the main process's affair.

    A terminal's Ctrl-C and a scheduler's SIGTERM reach every process. The main one finishes its iteration and saves,
    for which it needs its workers.
    """
    cv2.setNumThreads(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, 'sigwaitinfo'):  # elsewhere a worker ends at SIGTERM
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_end_when_the_parent_says_so, daemon=True).start()


def _end_when_the_parent_says_so() -> None:
    """SIGTERM from the main process, which ends and waits for its workers, is meant; from elsewhere it is not."""
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != os.getppid():
        pass
    os._exit(0)
