"""UPerNet's head: pyramid pooling on the coarsest level and a feature pyramid over all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule
from torch import Tensor, nn

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.decode_heads.pooling import pooled_conv
from mmseg.models.decode_heads.psp import pyramid
from mmseg.models.resize import resize
from mmseg.registry import MODELS


@MODELS.register_module()
class UPerHead(BaseDecodeHead):
    """Unified perceptual parsing (Xiao et al., arXiv:1807.10221) on several levels.

    Args:
        pool_scales: side lengths of the pooled maps of the coarsest level.
    """

    def __init__(self, pool_scales: Sequence[int] = (1, 2, 3, 6), **kwargs: Any):
        super().__init__(input_transform='multiple_select', **kwargs)
        *fine, coarsest = self.in_channels
        channels, options = self.channels, self.conv_options
        self.psp_modules = nn.ModuleList(pooled_conv(scale, coarsest, channels, **options) for scale in pool_scales)
        self.bottleneck = ConvModule(coarsest + len(pool_scales) * channels, channels, 3, padding=1, **options)
        self.lateral_convs = nn.ModuleList(ConvModule(width, channels, 1, **options) for width in fine)
        self.fpn_convs = nn.ModuleList(ConvModule(channels, channels, 3, padding=1, **options) for _ in fine)
        self.fpn_bottleneck = ConvModule(len(self.in_channels) * channels, channels, 3, padding=1, **options)

    def embed(self, features: Sequence[Tensor]) -> Tensor:
        *fine, coarsest = self.levels(features)
        top = self.bottleneck(pyramid(coarsest, self.psp_modules, self.align_corners))
        summed = [top]
        for lateral, x in zip(reversed(self.lateral_convs), reversed(fine), strict=True):
            x = lateral(x)
            summed.insert(0, x + resize(summed[0], x.shape[2:], self.align_corners))
        levels = [conv(x) for conv, x in zip(self.fpn_convs, summed[:-1], strict=True)] + [top]
        size = levels[0].shape[2:]
        return self.fpn_bottleneck(torch.cat([resize(x, size, self.align_corners) for x in levels], dim=1))
