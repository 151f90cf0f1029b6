"""How long an iteration takes, without what is not one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Wall time of training: validation, saving and drawing stop it.

    Averages over windows, not sums over steps: on a GPU a step returns before its work is done.
    """

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._start = time.perf_counter()
        self._paused = 0.0
        self._data = 0.0
        self._iterations = 0

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Time spent inside does not count."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self._paused += time.perf_counter() - begin

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Time spent inside is waiting for data; one iteration more."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self._data += time.perf_counter() - begin
            self._iterations += 1

    def lap(self) -> tuple[float, float]:
        """Mean seconds per iteration and of waiting for data since the last lap; starts a new one."""
        count = max(self._iterations, 1)
        seconds = (time.perf_counter() - self._start - self._paused) / count
        data = self._data / count
        self._reset()
        return seconds, data
