"""Interlaced sparse self-attention: attention among distant pixels, then among near ones (arXiv:1907.12273)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import Tensor, nn


class SelfAttention(nn.Module):
    """Attention among all positions of a map, softmax(q k / sqrt(key_channels)) v, without residual.

    Args:
        channels: of input, value and output.
        key_channels: of keys and queries.
        num_convs: 1x1 convolutions in a row that make the keys, and the queries.
    """

    def __init__(self, channels: int, key_channels: int, num_convs: int, **conv_options: Any):
        super().__init__()
        self.key_project = _projection(channels, key_channels, num_convs, **conv_options)
        self.query_project = _projection(channels, key_channels, num_convs, **conv_options)
        self.value_project = nn.Conv2d(channels, channels, 1)
        self.output_project = ConvModule(channels, channels, 1, **conv_options)

    def forward(self, x: Tensor) -> Tensor:
        """Attend within each map of (N, channels, h, w)."""
        query, key, value = (
            project(x).flatten(2).transpose(1, 2)[:, None]  # one head: fused kernels and ONNX want the axis
            for project in (self.query_project, self.key_project, self.value_project)
        )
        attended = F.scaled_dot_product_attention(query, key, value)[:, 0]  # (N, h * w, channels)
        return self.output_project(attended.transpose(1, 2).reshape_as(x))


def _projection(channels: int, key_channels: int, num_convs: int, **conv_options: Any) -> nn.Module:
    convs = [ConvModule(key_channels if i else channels, key_channels, 1, **conv_options) for i in range(num_convs)]
    return convs[0] if num_convs == 1 else nn.Sequential(*convs)


def attend_interlaced(
    x: Tensor, down_factor: Sequence[int], global_relation: nn.Module, local_relation: nn.Module
) -> Tensor:
    """Global, then local attention on a map (B, C, h, w) of any size.

    The map is padded with zeros to a multiple of ``down_factor`` (l_h, l_w) and seen as a grid of groups of that size.
    The global attention joins the positions that have the same offset in their groups, the local one those of a group.
    The padding takes part in both (no mask), as in the published networks.
    """
    batch, channels, height, width = x.shape
    rows, columns = down_factor
    groups_y, groups_x = -(-height // rows), -(-width // columns)
    pad_y, pad_x = groups_y * rows - height, groups_x * columns - width
    top, left = pad_y // 2, pad_x // 2
    x = F.pad(x, (left, pad_x - left, top, pad_y - top))
    x = x.reshape(batch, channels, groups_y, rows, groups_x, columns)
    x = x.permute(0, 3, 5, 1, 2, 4).reshape(-1, channels, groups_y, groups_x)
    x = global_relation(x)
    x = x.reshape(batch, rows, columns, channels, groups_y, groups_x)
    x = x.permute(0, 4, 5, 3, 1, 2).reshape(-1, channels, rows, columns)
    x = local_relation(x)
    x = x.reshape(batch, groups_y, groups_x, channels, rows, columns)
    x = x.permute(0, 3, 1, 4, 2, 5).reshape(batch, channels, groups_y * rows, groups_x * columns)
    return x[:, :, top : top + height, left : left + width]
