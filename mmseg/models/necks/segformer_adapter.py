"""Up-sampled Transformer features for decode heads made for dilated CNNs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg.registry import MODELS


@MODELS.register_module()
class SegFormerAdapter(nn.Module):
    """Replaces the last level by chosen levels, each resized by its factor, stacked along the channels.

    A head that expects output stride 8 reads a Mix Transformer through it: its last level has stride 32.

    Args:
        out_layers: indices of the levels to stack.
        scales: factor for each of them.

    Raises:
        ValueError: if the two differ in length.
    """

    def __init__(self, out_layers: Sequence[int] = (3,), scales: Sequence[float] = (4,)):
        super().__init__()
        if len(out_layers) != len(scales):
            raise ValueError(f'SegFormerAdapter: {len(out_layers)} out_layers but {len(scales)} scales')
        self.out_layers = tuple(out_layers)
        self.scales = tuple(scales)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """A new list; the encoder's levels (B, C_i, H_i, W_i) stay untouched."""
        stacked = [_scaled(features[i], scale) for i, scale in zip(self.out_layers, self.scales, strict=True)]
        return [*features[:-1], torch.cat(stacked, dim=1)]


def _scaled(x: Tensor, scale: float) -> Tensor:
    return x if scale == 1 else F.interpolate(x, scale_factor=scale, mode='bilinear', align_corners=False)
