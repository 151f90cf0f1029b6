"""Class ids outside the classes, found on the device and read on the host once for many images."""

from __future__ import annotations

import torch
from torch import Tensor

from mmseg.evaluation.confusion import check_extremes

INTERVAL = 64  # images whose ids are read together where reading waits for the device


class IdChecks:
    """Collects the extreme ids of images, to be checked together.

    Args:
        num_classes: ids lie below it.
    """

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self._names: list[str] = []
        self._extremes: list[Tensor] = []

    def add(self, name: str, extremes: Tensor) -> None:
        """Note an image; on a CPU it is checked at once, on other devices every ``INTERVAL`` images.

        Args:
            name: for the error.
            extremes: (4,) of ``count_pixels``.

        Raises:
            ValueError: an image noted so far holds an id that is none of the classes.
        """
        self._names.append(name)
        self._extremes.append(extremes)
        if extremes.device.type == 'cpu' or len(self._names) >= INTERVAL:
            self.finish()

    def finish(self) -> None:
        """Check what is still unchecked.

        Raises:
            ValueError: as for :meth:`add`.
        """
        names, extremes = self._names, self._extremes
        self._names, self._extremes = [], []
        for name, values in zip(names, torch.stack(extremes).tolist() if extremes else [], strict=True):
            try:
                check_extremes(values, self.num_classes)
            except ValueError as error:
                raise ValueError(f'{name}: {error}') from None
