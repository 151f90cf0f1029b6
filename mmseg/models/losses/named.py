"""Log values by name; those with "loss" in their name are losses, all others are only logged."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def prefixed(prefix: str, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same values under names that say where they come from."""
    return {prefix + name: value for name, value in values.items()}


def weighted(factor: float, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """All losses times a factor; accuracies and the like as they are."""
    return {name: factor * value if 'loss' in name else value for name, value in values.items()}
