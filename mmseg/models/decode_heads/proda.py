"""ProDA's head: dilated convolutions side by side, weighted channels, one feature for prototypes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule
from torch import Tensor, nn

from mmseg.models.decode_heads.aspp import aspp_branches
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS

REDUCTION = 16  # of the channel weights' hidden layer


class ChannelWeights(nn.Sequential):
    """Squeeze and excitation (Hu et al., CVPR 2018): every channel times a factor that the whole image decides."""

    def __init__(self, channels: int, reduction: int = REDUCTION):
        hidden = max(1, channels // reduction)
        super().__init__(nn.Linear(channels, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, channels), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same."""
        return x * super().forward(x.mean(dim=(2, 3)))[:, :, None, None]


@MODELS.register_module()
class ProDAHead(BaseDecodeHead):
    """Parallel convolutions on one level with group norm, channel weights, a signed feature, a classifier without bias.

    The embedding is what the classifier sees, after the dropout: prototypes and distances are of this (Zhang et al.,
    CVPR 2021, and its code).

    Args:
        dilations: one branch each, 1 for a 1x1 convolution.
        norm_groups: of the group norms.
    """

    def __init__(self, dilations: Sequence[int] = (1, 6, 12, 18, 24), norm_groups: int = 32, **kwargs: Any):
        norm = {'type': 'GN', 'num_groups': norm_groups, 'requires_grad': True}
        super().__init__(**{'norm_cfg': norm, **kwargs})
        options = {**self.conv_options, 'bias': True}
        self.aspp_modules = aspp_branches(self.in_channels, self.channels, dilations, separable=False, **options)
        stacked = len(dilations) * self.channels
        self.channel_weights = ChannelWeights(stacked)
        self.bottleneck = ConvModule(stacked, self.channels, 3, padding=1, **{**options, 'act_cfg': None})

    def _build_classifier(self) -> nn.Module:
        return nn.Conv2d(self.channels, self.num_classes, kernel_size=1, bias=False)

    def init_weights(self) -> None:
        """N(0, 0.01) on all convolutions, as in the published runs (their He initialisation never reaches a layer)."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.01)

    def embed(self, features: Sequence[Tensor]) -> Tensor:
        x = self.level(features)
        stacked = torch.cat([branch(x) for branch in self.aspp_modules], dim=1)
        return self.dropout(self.bottleneck(self.channel_weights(stacked)))

    def classify(self, embedding: Tensor) -> Tensor:
        return self.conv_seg(embedding)
