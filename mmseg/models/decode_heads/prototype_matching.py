"""Class prototypes of a single image, and the attention of its pixels to them."""

from __future__ import annotations

from typing import Any

import torch
from mmcv.cnn import ConvModule
from torch import Tensor, nn

from mmseg.models.precision import at_least_float32, exact_matmul, without_autocast


def image_prototypes(features: Tensor, logits: Tensor, scale: float = 1.0) -> Tensor:
    """A prototype of each class and image: its pixels' mean feature, weighted by confidence.

    The weights of a class are a softmax of its logits over the pixels of one image: not a class posterior, so an
    absent class has a prototype too, and a class's weights do not change if a constant is added to its logits.

    Args:
        features: (B, C, h, w).
        logits: (B, K, h, w) class scores of the same positions.
        scale: factor on the logits; the larger, the more the most confident pixels count.

    Returns:
        (B, C, K, 1), at least float32: at the start of training prototypes differ by less than bfloat16 can tell.
    """
    with without_autocast(features.device), exact_matmul():
        weights = (scale * at_least_float32(logits)).flatten(2).softmax(dim=2)  # (B, K, h * w)
        prototypes = weights @ at_least_float32(features).flatten(2).transpose(1, 2)
    return prototypes.transpose(1, 2).unsqueeze(3)


class PrototypeMatching(nn.Module):
    """Attention of every pixel to the class prototypes of its image, joined with the pixel's own feature.

    With softmax over the K prototypes, q of the pixels and k, v of the prototypes: ``softmax(q k / sqrt(d)) v``.

    Args:
        in_channels: of features and prototypes, and of the result.
        channels: d, of queries, keys and values.
        conv_options: ``conv_cfg``, ``norm_cfg`` and ``act_cfg`` of all 1x1 convolutions.
    """

    def __init__(self, in_channels: int, channels: int, **conv_options: Any):
        super().__init__()
        self.scale = channels**-0.5
        self.query_project = _two_convs(in_channels, channels, conv_options)
        self.key_project = _two_convs(in_channels, channels, conv_options)
        self.value_project = ConvModule(in_channels, channels, 1, **conv_options)
        self.out_project = ConvModule(channels, in_channels, 1, **conv_options)
        self.bottleneck = ConvModule(2 * in_channels, in_channels, 1, **conv_options)

    def forward(self, features: Tensor, prototypes: Tensor) -> Tensor:
        """Match features (B, C, h, w) with prototypes (B, C, K, 1); (B, C, h, w)."""
        query = at_least_float32(self.query_project(features)).flatten(2).transpose(1, 2)  # (B, h * w, d)
        with without_autocast(features.device), exact_matmul():
            own = prototypes.to(self.value_project.conv.weight.dtype)  # 16 bits in a network of 16 bits
            key = at_least_float32(self.key_project(own)).flatten(2)  # (B, d, K)
            value = at_least_float32(self.value_project(own)).flatten(2).transpose(1, 2)  # (B, K, d)
            attention = (self.scale * (query @ key)).softmax(dim=2)
            context = (attention @ value).to(own.dtype)
        context = self.out_project(context.transpose(1, 2).unflatten(2, features.shape[2:]))
        return self.bottleneck(torch.cat([context, features.to(context.dtype)], dim=1))


def _two_convs(in_channels: int, channels: int, options: dict[str, Any]) -> nn.Sequential:
    return nn.Sequential(ConvModule(in_channels, channels, 1, **options), ConvModule(channels, channels, 1, **options))
