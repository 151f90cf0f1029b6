"""DeepLab-V2's dilated convolutions in front of a feature and a classifier: DDB's head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmengine.model import constant_init
from torch import Tensor

from mmseg.models.decode_heads.aspp import aspp_branches
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS


@MODELS.register_module()
class DLV2AdapterHead(BaseDecodeHead):
    """Dilated convolutions side by side, a convolution over all of them, a 1x1 classifier (DDB, Chen et al., 2022).

    Args:
        dilations: of the branches, each of which gives an equal share of ``channels``.
        aspp_norm_init: True starts the scales of the branches' norms at N(0, 0.01), half of them negative and all next
            to nothing, as the published code's initialisation does; False starts them at 1.

    Raises:
        ValueError: ``channels`` is no multiple of the number of branches.
    """

    # The classifier keeps PyTorch's own initialisation.
    init_default: dict[str, Any] | None = {'type': 'Normal', 'std': 0.01, 'override': {'name': 'aspp_modules'}}

    def __init__(self, dilations: Sequence[int] = (6, 12), aspp_norm_init: bool = True, **kwargs: Any):
        super().__init__(**kwargs)
        if self.channels % len(dilations):
            raise ValueError(
                f'DLV2AdapterHead: channels={self.channels} cannot be shared by {len(dilations)} dilations equally'
            )
        self.aspp_norm_init = aspp_norm_init
        width = self.channels // len(dilations)
        self.aspp_modules = aspp_branches(self.in_channels, width, dilations, separable=False, **self.conv_options)
        self.bottleneck = ConvModule(self.channels, self.channels, 3, padding=1, **self.conv_options)

    def init_weights(self) -> None:
        super().init_weights()
        if not self.aspp_norm_init:
            for branch in self.aspp_modules:
                if branch.with_norm:
                    constant_init(branch.norm, 1)

    def embed(self, features: Sequence[Tensor]) -> Tensor:
        x = self.level(features)
        return self.bottleneck(torch.cat([branch(x) for branch in self.aspp_modules], dim=1))
