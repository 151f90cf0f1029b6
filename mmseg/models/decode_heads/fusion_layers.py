"""The layers that DAFormer's decoder is composed of, built from config: embeddings of levels and their fusion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from torch import Tensor, nn

from mmseg.models.decode_heads.aspp import aspp_branches
from mmseg.models.decode_heads.interlaced_attention import SelfAttention, attend_interlaced
from mmseg.models.decode_heads.pooling import pooled_conv
from mmseg.models.resize import resize


class PixelLinear(nn.Module):
    """A linear layer on the channels of every pixel."""

    def __init__(self, in_channels: int, channels: int):
        super().__init__()
        self.proj = nn.Linear(in_channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, h, w) to (B, channels, h, w), channels last in memory."""
        return self.proj(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ASPPLayer(nn.Module):
    """Dilated convolutions side by side, optionally with image pooling and a context layer, and a 3x3 bottleneck.

    Args:
        in_channels: of the map.
        channels: of every branch and of the result.
        dilations: one branch each.
        sep: whether dilated branches are depthwise separable.
        pool: whether there is an image-pooling branch.
        align_corners: rule of resizing the pooled branch.
        context_cfg: config of one more layer beside the branches (see :func:`build_layer`).
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        dilations: Sequence[int],
        sep: bool,
        pool: bool,
        align_corners: bool = False,
        context_cfg: dict[str, Any] | None = None,
        **conv_options: Any,
    ):
        super().__init__()
        self.align_corners = align_corners
        self.image_pool = pooled_conv(1, in_channels, channels, **conv_options) if pool else None
        self.context_layer = (
            build_layer(in_channels, channels, **{'align_corners': align_corners, **context_cfg})
            if context_cfg
            else None
        )
        self.aspp_modules = aspp_branches(in_channels, channels, dilations, separable=sep, **conv_options)
        branches = len(dilations) + bool(pool) + bool(context_cfg)
        self.bottleneck = ConvModule(branches * channels, channels, 3, padding=1, **conv_options)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, h, w) to (B, channels, h, w)."""
        outs = []
        if self.image_pool is not None:
            outs.append(resize(self.image_pool(x), x.shape[2:], self.align_corners))
        if self.context_layer is not None:
            outs.append(self.context_layer(x))
        outs.extend(branch(x) for branch in self.aspp_modules)
        return self.bottleneck(torch.cat(outs, dim=1))


class ISALayer(nn.Module):
    """Interlaced sparse attention between an optional input and an optional output convolution.

    Args:
        in_channels: of the map.
        channels: inside and of the result.
        isa_channels: of keys and queries.
        down_factor: height and width of the groups of local attention.
        key_query_num_convs: 1x1 convolutions in a row for keys and queries.
        in_conv_kernel_size: of the input convolution; None = there is none.
        out_cat_and_conv: whether a 1x1 convolution joins the attended map with the attention's input.

    Raises:
        ValueError: if there is no input convolution and the channels differ.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        isa_channels: int,
        down_factor: Sequence[int] = (8, 8),
        key_query_num_convs: int = 1,
        in_conv_kernel_size: int | None = 1,
        out_cat_and_conv: bool = False,
        **conv_options: Any,
    ):
        super().__init__()
        if in_conv_kernel_size is None and in_channels != channels:
            raise ValueError(f'isa layer without input convolution: {in_channels} channels come in, {channels} wanted')
        self.down_factor = tuple(down_factor)
        self.in_conv = (
            ConvModule(in_channels, channels, in_conv_kernel_size, padding=in_conv_kernel_size // 2, **conv_options)
            if in_conv_kernel_size is not None
            else None
        )
        self.global_relation = SelfAttention(channels, isa_channels, key_query_num_convs, **conv_options)
        self.local_relation = SelfAttention(channels, isa_channels, key_query_num_convs, **conv_options)
        self.out_conv = ConvModule(2 * channels, channels, 1, **conv_options) if out_cat_and_conv else None

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, h, w) to (B, channels, h, w)."""
        if self.in_conv is not None:
            x = self.in_conv(x)
        attended = attend_interlaced(x, self.down_factor, self.global_relation, self.local_relation)
        return attended if self.out_conv is None else self.out_conv(torch.cat([attended, x], dim=1))


def build_layer(in_channels: int, channels: int, type: str, align_corners: bool = False, **options: Any) -> nn.Module:  # noqa: A002
    """Build a layer that maps (B, in_channels, h, w) to (B, channels, h, w).

    Args:
        in_channels: channels that come in.
        channels: channels that go out.
        type: ``id``, ``mlp``, ``conv``, ``sep_conv``, ``aspp``, ``rawconv_and_aspp`` or ``isa``.
        align_corners: rule of resizing inside the layer.
        options: of the layer; ``mlp`` and ``id`` have neither norm nor activation and ignore all.

    Raises:
        ValueError: for an unknown type, or ``id`` with different channels.
    """
    if type not in LAYERS:
        raise ValueError(f'unknown layer type {type!r} in decoder_params; known: {", ".join(LAYERS)}')
    return LAYERS[type](in_channels, channels, align_corners, **options)


def _identity(in_channels: int, channels: int, align_corners: bool, **ignored: Any) -> nn.Module:
    if in_channels != channels:
        raise ValueError(f"layer type 'id' keeps its {in_channels} channels, but {channels} are wanted")
    return nn.Identity()


def _mlp(in_channels: int, channels: int, align_corners: bool, **ignored: Any) -> nn.Module:
    return PixelLinear(in_channels, channels)


def _conv(in_channels: int, channels: int, align_corners: bool, kernel_size: int, **options: Any) -> nn.Module:
    return ConvModule(in_channels, channels, kernel_size, padding=kernel_size // 2, **options)


def _sep_conv(in_channels: int, channels: int, align_corners: bool, kernel_size: int, **options: Any) -> nn.Module:
    return DepthwiseSeparableConvModule(in_channels, channels, kernel_size, padding=kernel_size // 2, **options)


def _aspp(in_channels: int, channels: int, align_corners: bool, **options: Any) -> nn.Module:
    return ASPPLayer(in_channels, channels, align_corners=align_corners, **options)


def _rawconv_and_aspp(
    in_channels: int, channels: int, align_corners: bool, kernel_size: int, **options: Any
) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, kernel_size, padding=kernel_size // 2),
        ASPPLayer(channels, channels, align_corners=align_corners, **options),
    )


def _isa(in_channels: int, channels: int, align_corners: bool, **options: Any) -> nn.Module:
    return ISALayer(in_channels, channels, **options)


LAYERS: dict[str, Callable[..., nn.Module]] = {
    'id': _identity,
    'mlp': _mlp,
    'conv': _conv,
    'sep_conv': _sep_conv,
    'aspp': _aspp,
    'rawconv_and_aspp': _rawconv_and_aspp,
    'isa': _isa,
}
