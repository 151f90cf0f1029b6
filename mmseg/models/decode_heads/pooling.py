"""Context from pooled maps: a layer that several heads put beside their convolutions."""

from __future__ import annotations

from typing import Any

from mmcv.cnn import ConvModule
from torch import nn


def pooled_conv(size: int, in_channels: int, channels: int, **conv_options: Any) -> nn.Sequential:
    """Average-pool a map to ``size`` x ``size`` and convolve it 1x1; to be resized to its surroundings afterwards.

    With batch norm, size 1 and a batch of one image there is a single value per channel, and training raises.
    """
    return nn.Sequential(nn.AdaptiveAvgPool2d(size), ConvModule(in_channels, channels, 1, **conv_options))
