"""DeepLab-V3+'s head: separable ASPP, joined with the finest level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from torch import Tensor, nn

from mmseg.models.decode_heads.aspp import ASPPHead
from mmseg.models.resize import resize
from mmseg.registry import MODELS


@MODELS.register_module()
class DepthwiseSeparableASPPHead(ASPPHead):
    """ASPP with separable convolutions, up-sampled and refined with the finest level (arXiv:1802.02611).

    Args:
        c1_in_channels: channels of the encoder's first level; 0 = it is not used.
        c1_channels: channels to which it is reduced.
    """

    separable = True

    def __init__(self, c1_in_channels: int, c1_channels: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.c1_bottleneck = ConvModule(c1_in_channels, c1_channels, 1, **self.conv_options) if c1_in_channels else None
        joined = self.channels + (c1_channels if c1_in_channels else 0)
        self.sep_bottleneck = nn.Sequential(
            DepthwiseSeparableConvModule(joined, self.channels, 3, padding=1, **self.conv_options),
            DepthwiseSeparableConvModule(self.channels, self.channels, 3, padding=1, **self.conv_options),
        )

    def embed(self, features: Sequence[Tensor]) -> Tensor:
        x = super().embed(features)
        if self.c1_bottleneck is not None:
            finest = self.c1_bottleneck(features[0])
            x = torch.cat([resize(x, finest.shape[2:], self.align_corners), finest], dim=1)
        return self.sep_bottleneck(x)
