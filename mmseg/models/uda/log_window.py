"""Log values that stay on the device until the log interval."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mmseg.engine.gradient_sync import reduce_mean
from mmseg.models.precision import at_least_float32


class LogWindow:
    """Running sums of a step's scalars since the last time they were read."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int | Tensor] = {}

    @torch.no_grad()
    def add(self, values: dict[str, Tensor], overflows: bool = False) -> None:
        """Take in one step's detached scalars.

        Args:
            values: by name.
            overflows: values that are not finite are left out: their step was left out too (float16).
        """
        for key, value in values.items():
            # 50 numbers of 8 bits would not add up to more than 8 bits.
            value = at_least_float32(value.detach())
            count: int | Tensor = 1
            if overflows:
                finite = value.isfinite()
                value, count = torch.where(finite, value, 0.0), finite.to(value.dtype)
            self._sums[key] = self._sums[key] + value if key in self._sums else value.clone()
            self._counts[key] = self._counts.get(key, 0) + count

    def read(self) -> dict[str, Tensor]:
        """Means over the window and over all processes, as scalars of the CPU; empties the window.

        Raises:
            FloatingPointError: if a mean is not finite: such a run is lost, the weights of its student too. Where
                overflows are left out, if all values of the window were.
        """
        if not self._sums:
            return {}
        means = torch.stack([value.double() / self._counts[key] for key, value in self._sums.items()])
        means = reduce_mean(means).cpu()
        read = dict(zip(self._sums, means, strict=True))
        self._sums, self._counts = {}, {}
        lost = [f'{key}={float(value)}' for key, value in read.items() if not math.isfinite(value)]
        if lost:
            raise FloatingPointError(
                f'training diverged: {", ".join(lost)}; lower the learning rate, or try --precision fp32'
            )
        return read
