"""DeepLab-V2's classifier: a sum of dilated convolutions straight to the classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmcv.cnn import ConvModule
from torch import Tensor, nn

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS


@MODELS.register_module()
class DLV2Head(BaseDecodeHead):
    """Sum over dilations of 3x3 convolutions from one level to the class scores (Chen et al., arXiv:1606.00915).

    There is no feature between encoder and classifier: the embedding is the encoder's level itself.

    Args:
        dilations: of the convolutions; (6, 12) is the reduced head of AdaptSegNet and its followers.

    Raises:
        ValueError: if ``channels``, ``dropout_ratio`` or ``norm_cfg`` is given, which this head does not have.
    """

    init_default = None

    def __init__(self, in_channels: int, num_classes: int, dilations: Sequence[int] = (6, 12, 18, 24), **kwargs: Any):
        senseless = {'channels', 'dropout_ratio', 'norm_cfg'} & kwargs.keys()
        if senseless:
            raise ValueError(f'DLV2Head has no {", ".join(sorted(senseless))}: remove it from the config')
        super().__init__(in_channels, channels=in_channels, num_classes=num_classes, dropout_ratio=0, **kwargs)
        self.aspp_modules = nn.ModuleList(
            ConvModule(self.in_channels, num_classes, 3, dilation=dilation, padding=dilation, act_cfg=None)
            for dilation in dilations
        )

    def _build_classifier(self) -> None:
        return None

    def embed(self, features: Sequence[Tensor]) -> Tensor:
        return self.level(features)

    def classify(self, embedding: Tensor) -> Tensor:
        return sum(conv(embedding) for conv in self.aspp_modules)
