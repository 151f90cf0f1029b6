"""Atrous spatial pyramid pooling with image pooling: DeepLab-V3's head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from torch import Tensor, nn

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.decode_heads.pooling import pooled_conv
from mmseg.models.decode_heads.shifted_conv import ShiftedConv2d
from mmseg.models.resize import resize
from mmseg.registry import MODELS


def aspp_branches(
    in_channels: int, channels: int, dilations: Sequence[int], separable: bool, **conv_options: Any
) -> nn.ModuleList:
    """One convolution per dilation: 1x1 for dilation 1, else a (depthwise separable) dilated 3x3."""
    shifted = conv_options if conv_options.get('conv_cfg') else {**conv_options, 'conv_cfg': {'type': ShiftedConv2d}}
    branches = nn.ModuleList()
    for dilation in dilations:
        apart = separable and dilation > 1
        kind, options = (DepthwiseSeparableConvModule, shifted) if apart else (ConvModule, conv_options)
        kernel_size, padding = (1, 0) if dilation == 1 else (3, dilation)
        branches.append(kind(in_channels, channels, kernel_size, dilation=dilation, padding=padding, **options))
    return branches


@MODELS.register_module()
class ASPPHead(BaseDecodeHead):
    """Image pooling and dilated convolutions side by side on one level (Chen et al., arXiv:1706.05587).

    Args:
        dilations: one branch each.
    """

    separable = False

    def __init__(self, dilations: Sequence[int] = (1, 6, 12, 18), **kwargs: Any):
        super().__init__(**kwargs)
        self.image_pool = pooled_conv(1, self.in_channels, self.channels, **self.conv_options)
        self.aspp_modules = aspp_branches(
            self.in_channels, self.channels, dilations, self.separable, **self.conv_options
        )
        self.bottleneck = ConvModule(
            (len(dilations) + 1) * self.channels, self.channels, 3, padding=1, **self.conv_options
        )

    def embed(self, features: Sequence[Tensor]) -> Tensor:
        x = self.level(features)
        pooled = resize(self.image_pool(x), x.shape[2:], self.align_corners)
        return self.bottleneck(torch.cat([pooled] + [branch(x) for branch in self.aspp_modules], dim=1))
