"""Confusion matrices added up over images and processes, by data set."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.device import get_device
from torch import Tensor

from mmseg.engine.gradient_sync import rank, reduce_sum, world_size


class ConfusionSums:
    """Adds up one process's confusion matrices on their device, and all processes' at the end."""

    def __init__(self) -> None:
        self._matrices: dict[str, Tensor] = {}
        self._last: tuple[str, Tensor] | None = None
        self._processed = 0

    def add(self, counts: Tensor, dataset: str = '') -> None:
        """Take in one image's counts (C, C)."""
        self._take_last()
        # The last image waits: it may be a repetition.
        self._last = (dataset, counts)
        self._processed += 1

    def _take_last(self) -> None:
        if self._last is not None:
            name, counts = self._last
            self._matrices[name] = self._matrices[name] + counts if name in self._matrices else counts
            self._last = None

    def totals(self, datasets: Sequence[str], size: int, num_classes: int) -> dict[str, Tensor]:
        """(C, C) int64 counts of all processes, of each data set; zeros where no image was processed.

        Args:
            datasets: their names, the same in all processes.
            size: images in all data sets together.
            num_classes: C.

        Raises:
            ValueError: no process has an image.
        """
        if self._last is None and (size == 0 or world_size() == 1):
            raise ValueError('nothing to evaluate: no image was processed')
        # Samplers deal images out in turns and fill the last round up with repetitions, which must not count twice.
        repeated = rank() + (self._processed - 1) * world_size() >= size
        device = get_device() if self._last is None else self._last[1].device
        if repeated:
            self._last = None
        self._take_last()
        empty = torch.zeros(num_classes, num_classes, dtype=torch.int64, device=device)
        # A process without images must still take part in the sum.
        total = reduce_sum(torch.stack([self._matrices.get(name, empty) for name in datasets]))
        return dict(zip(datasets, total, strict=True))
