"""A norm layer between encoder and heads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmcv.cnn import build_norm_layer
from torch import Tensor, nn

from mmseg.registry import MODELS


@MODELS.register_module()
class LevelNorm(nn.Module):
    """Normalises one level of an encoder, whose features may have any scale after self-supervised training (ProDA).

    Args:
        channels: of the level.
        level: its number in the encoder's list.
        norm_cfg: mmcv config of the norm layer.
    """

    def __init__(self, channels: int, level: int = -1, norm_cfg: dict[str, Any] | None = None):
        super().__init__()
        self.level = level
        self.norm = build_norm_layer(norm_cfg or {'type': 'BN'}, channels)[1]

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """A new list; the encoder's levels (B, C_i, H_i, W_i) stay untouched."""
        levels = list(features)
        levels[self.level] = self.norm(levels[self.level])
        return levels
