"""Pyramid pooling: PSPNet's head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule
from torch import Tensor, nn

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.decode_heads.pooling import pooled_conv
from mmseg.models.resize import resize
from mmseg.registry import MODELS


def pyramid(x: Tensor, pools: nn.ModuleList, align_corners: bool) -> Tensor:
    """A map and its pooled versions at every scale, resized to it: (B, C + sum of the pools' channels, h, w)."""
    return torch.cat([x] + [resize(pool(x), x.shape[2:], align_corners) for pool in pools], dim=1)


@MODELS.register_module()
class PSPHead(BaseDecodeHead):
    """Context from average pooling of one level at several scales (Zhao et al., arXiv:1612.01105).

    Args:
        pool_scales: side lengths of the pooled maps.
    """

    def __init__(self, pool_scales: Sequence[int] = (1, 2, 3, 6), **kwargs: Any):
        super().__init__(**kwargs)
        self.psp_modules = nn.ModuleList(
            pooled_conv(scale, self.in_channels, self.channels, **self.conv_options) for scale in pool_scales
        )
        self.bottleneck = ConvModule(
            self.in_channels + len(pool_scales) * self.channels, self.channels, 3, padding=1, **self.conv_options
        )

    def embed(self, features: Sequence[Tensor]) -> Tensor:
        return self.bottleneck(pyramid(self.level(features), self.psp_modules, self.align_corners))
