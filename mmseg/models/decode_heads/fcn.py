"""A few convolutions on one level: the fully convolutional head, mostly used as an auxiliary one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule
from torch import Tensor, nn

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS


@MODELS.register_module()
class FCNHead(BaseDecodeHead):
    """Convolutions on one level (Long et al., arXiv:1411.4038).

    Args:
        num_convs: number of convolutions before the classifier; 0 classifies the level itself.
        kernel_size: of all convolutions.
        concat_input: whether a further convolution sees the level and the result of the others.
        dilation: of the ``num_convs`` convolutions.

    Raises:
        ValueError: if ``num_convs`` is 0 and the level has another number of channels than ``channels``.
    """

    def __init__(
        self,
        num_convs: int = 2,
        kernel_size: int = 3,
        concat_input: bool = True,
        dilation: int = 1,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if num_convs == 0 and self.in_channels != self.channels:
            raise ValueError(f'FCNHead with num_convs=0 needs channels={self.in_channels}, got {self.channels}')
        self.convs = nn.Sequential(
            *(
                ConvModule(
                    self.channels if i else self.in_channels,
                    self.channels,
                    kernel_size,
                    padding=kernel_size // 2 * dilation,
                    dilation=dilation,
                    **self.conv_options,
                )
                for i in range(num_convs)
            )
        )
        self.conv_cat = (
            ConvModule(
                self.in_channels + self.channels,
                self.channels,
                kernel_size,
                padding=kernel_size // 2,
                **self.conv_options,
            )
            if concat_input
            else None
        )

    def embed(self, features: Sequence[Tensor]) -> Tensor:
        x = self.level(features)
        out = self.convs(x)
        return out if self.conv_cat is None else self.conv_cat(torch.cat([x, out], dim=1))
