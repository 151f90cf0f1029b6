"""ISANet's head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule
from torch import Tensor

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.decode_heads.interlaced_attention import SelfAttention, attend_interlaced
from mmseg.registry import MODELS


@MODELS.register_module()
class ISAHead(BaseDecodeHead):
    """Interlaced sparse self-attention on one level, concatenated with its input (Huang et al., arXiv:1907.12273).

    Args:
        isa_channels: channels of keys and queries.
        down_factor: height and width of the groups of local attention.
    """

    def __init__(self, isa_channels: int, down_factor: Sequence[int] = (8, 8), **kwargs: Any):
        super().__init__(**kwargs)
        channels, options = self.channels, self.conv_options
        self.down_factor = tuple(down_factor)
        self.in_conv = ConvModule(self.in_channels, channels, 3, padding=1, **options)
        self.global_relation = SelfAttention(channels, isa_channels, num_convs=2, **options)
        self.local_relation = SelfAttention(channels, isa_channels, num_convs=2, **options)
        self.out_conv = ConvModule(2 * channels, channels, 1, **options)

    def embed(self, features: Sequence[Tensor]) -> Tensor:
        x = self.in_conv(self.level(features))
        attended = attend_interlaced(x, self.down_factor, self.global_relation, self.local_relation)
        return self.out_conv(torch.cat([attended, x], dim=1))
