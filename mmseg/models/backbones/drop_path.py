"""Stochastic depth."""

from __future__ import annotations

from torch import Tensor, nn


class DropPath(nn.Module):
    """Drops a residual branch for whole samples in training and scales what it keeps by 1 / (1 - p).

    Huang et al., Deep Networks with Stochastic Depth, ECCV 2016.

    Args:
        drop_prob: p in [0, 1).

    Raises:
        ValueError: if p lies outside.
    """

    def __init__(self, drop_prob: float):
        super().__init__()
        if not 0 <= drop_prob < 1:
            raise ValueError(f'drop path rate must be in [0, 1), got {drop_prob}')
        self.drop_prob = drop_prob

    def forward(self, x: Tensor) -> Tensor:
        """Branch output (B, ...), one draw for each of the B samples."""
        if not self.training or self.drop_prob == 0:
            return x
        keep = 1 - self.drop_prob
        mask = x.new_empty((len(x),) + (1,) * (x.ndim - 1)).bernoulli_(keep).div_(keep)
        return x * mask

    def extra_repr(self) -> str:
        return f'{self.drop_prob:.3f}'


def build_drop_path(rate: float, block: int, blocks: int) -> nn.Module:
    """The drop path of block number ``block`` of ``blocks``: p grows linearly from 0 to ``rate``."""
    probability = rate * block / max(blocks - 1, 1)
    return DropPath(probability) if probability > 0 else nn.Identity()
