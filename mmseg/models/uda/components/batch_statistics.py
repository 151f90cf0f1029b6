"""Batch norm in passes that must leave no trace in its running statistics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def fixed_running_statistics(network: nn.Module) -> Iterator[None]:
    """Within it, batch norm in training mode normalises by the batch as always, but its running statistics stay.

    Layers in evaluation mode normalise by their running statistics, as always.
    """
    norms = [norm for norm in network.modules() if isinstance(norm, _BatchNorm) and norm.track_running_stats]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True
