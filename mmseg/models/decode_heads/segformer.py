"""SegFormer's all-MLP head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmcv.cnn import ConvModule
from torch import Tensor, nn

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.decode_heads.fusion_layers import PixelLinear
from mmseg.models.decode_heads.linear_fusion import fuse
from mmseg.registry import MODELS


@MODELS.register_module()
class SegFormerHead(BaseDecodeHead):
    """A linear layer per level, up-sampling, and a fusing convolution (Xie et al., arXiv:2105.15203).

    The published checkpoints hold the classifier of the base class (``conv_seg``) although ``linear_pred`` classifies;
    it is kept for loading and excluded from training.

    Args:
        decoder_params: ``embed_dim``, channels of every level and of the fused feature; ``conv_kernel_size`` of the
            fusing convolution, 1 if not given.

    Raises:
        ValueError: if ``decoder_params`` lacks ``embed_dim`` or has other entries.
    """

    def __init__(self, decoder_params: dict[str, Any], **kwargs: Any):
        super().__init__(input_transform='multiple_select', **kwargs)
        if not {'embed_dim'} <= decoder_params.keys() <= {'embed_dim', 'conv_kernel_size'}:
            raise ValueError(
                f'SegFormerHead: decoder_params has {sorted(decoder_params)}, expected embed_dim and conv_kernel_size'
            )
        width = decoder_params['embed_dim']
        kernel_size = decoder_params.get('conv_kernel_size', 1)
        self.conv_seg.requires_grad_(False)
        self.linear_c = nn.ModuleList(PixelLinear(channels, width) for channels in self.in_channels)
        self.linear_fuse = ConvModule(
            len(self.in_channels) * width, width, kernel_size, padding=kernel_size // 2, **self.conv_options
        )
        self.linear_pred = nn.Conv2d(width, self.num_classes, kernel_size=1)

    @property
    def embedding_channels(self) -> int:
        return self.linear_pred.in_channels

    @property
    def classifier(self) -> nn.Module:
        return self.linear_pred

    def embed(self, features: Sequence[Tensor]) -> Tensor:
        levels = self.levels(features)
        embedded = [linear(x) for linear, x in zip(self.linear_c, levels, strict=True)]
        return fuse(self.linear_fuse, embedded, levels[0].shape[2:], self.align_corners)

    def classify(self, embedding: Tensor) -> Tensor:
        return self.linear_pred(self.dropout(embedding))
