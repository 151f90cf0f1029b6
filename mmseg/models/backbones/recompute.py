"""Activations computed again in the backward pass instead of kept, by networks whose batch norms count a batch once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def recomputed(block: nn.Module, x: Tensor) -> Tensor:
    """``block(x)``; what the backward pass needs of it is computed again there, without a second look at statistics."""
    if torch.compiler.is_compiling():
        # A compiler recomputes single operations, never those that move running statistics.
        return checkpoint(block, x, use_reentrant=False)
    norms = [norm for norm in block.modules() if _counts(norm)]
    fixed = [norm for norm in norms if not norm.track_running_stats]
    return checkpoint(
        block, x, use_reentrant=False, context_fn=lambda: (counting_in_copies(fixed), counting_in_copies(norms))
    )


@contextmanager
def counting_in_copies(norms: Sequence[_BatchNorm]) -> Iterator[None]:
    """Within it, norms in training mode count in copies of their running statistics, which are thrown away.

    PyTorch insists that a block keeps as many tensors for its backward the second time as the first. A norm that
    counts keeps more than one that does not, so both times it counts, in its statistics or in copies.
    """
    kept = [(norm, norm.track_running_stats, dict(norm._buffers)) for norm in norms]
    try:
        for norm, _, buffers in kept:
            norm.track_running_stats = True
            norm._buffers.update({key: None if value is None else value.clone() for key, value in buffers.items()})
        yield
    finally:
        for norm, tracked, buffers in kept:
            norm.track_running_stats = tracked
            norm._buffers.update(buffers)


class CountOnce:
    """The same for a network that recomputes by itself, whose blocks are out of reach.

    Its batch norms count only while :meth:`forward` lasts: what comes later is the backward pass.
    """

    def __init__(self) -> None:
        self._in_forward = False
        self._copies: dict[nn.Module, ExitStack] = {}

    @contextmanager
    def forward(self, network: nn.Module) -> Iterator[None]:
        """Around each forward pass of the network."""
        for norm in network.modules():
            # At each pass, as the norms may have been exchanged for synchronised ones.
            if isinstance(norm, _BatchNorm) and self._before not in norm._forward_pre_hooks.values():
                norm.register_forward_pre_hook(self._before)
                norm.register_forward_hook(self._after, always_call=True)
        self._in_forward = True
        try:
            yield
        finally:
            self._in_forward = False

    def _before(self, norm: nn.Module, inputs: Any) -> None:
        if torch.compiler.is_compiling() or not _counts(norm):
            return
        if not self._in_forward or not norm.track_running_stats:
            self._copies[norm] = ExitStack()
            self._copies[norm].enter_context(counting_in_copies([norm]))

    def _after(self, norm: nn.Module, inputs: Any, output: Any) -> None:
        if norm in self._copies:
            self._copies.pop(norm).close()


def _counts(norm: nn.Module) -> bool:
    """Whether it is a batch norm with running statistics, in training mode."""
    return isinstance(norm, _BatchNorm) and norm.training and norm.running_mean is not None
