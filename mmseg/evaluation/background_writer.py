"""Files written in the background while the next images are predicted."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

PENDING_PER_THREAD = 4


class BackgroundWriter:
    """Calls functions in threads; the caller waits where too many are pending.

    What was handed over is done before ``close`` returns, also when the program is on its way out (Ctrl-C).

    Args:
        threads: how many; None = as many as there are cores, at most 4.

    Attributes:
        limit: most calls that wait or run at once.
    """

    def __init__(self, threads: int | None = None) -> None:
        threads = threads or min(4, os.cpu_count() or 1)
        self.limit = threads * PENDING_PER_THREAD
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix='writer')
        self._free = threading.BoundedSemaphore(self.limit)
        self._error: BaseException | None = None

    def submit(self, function: Callable[..., Any], *args: Any) -> None:
        """Call ``function(*args)`` later.

        Raises:
            Exception: what an earlier call raised.
        """
        self._raise()
        self._free.acquire()
        try:
            self._pool.submit(function, *args).add_done_callback(self._done)
        except BaseException:
            self._free.release()
            raise

    def close(self) -> None:
        """Wait until all is done; nothing can be submitted afterwards.

        Raises:
            Exception: what a call raised, if no ``submit`` has.
        """
        self._pool.shutdown(wait=True)
        self._raise()

    def _done(self, call: Future[Any]) -> None:
        self._error = self._error or call.exception()
        self._free.release()

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error


def to_host(tensor: Tensor) -> Callable[[], np.ndarray]:
    """Start copying a tensor to the host; what is returned waits for the copy, in any thread, and gives the array."""
    if tensor.device.type == 'cpu':
        return tensor.numpy
    if tensor.device.type != 'cuda':
        return tensor.cpu().numpy
    copy = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    copy.copy_(tensor, non_blocking=True)
    copied = torch.cuda.Event()
    copied.record()

    def array() -> np.ndarray:
        copied.synchronize()
        return copy.numpy()

    return array
