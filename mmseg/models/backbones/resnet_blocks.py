"""Stages of residual networks from timm's blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

Norm = Callable[..., nn.Module]


@dataclass(frozen=True)
class StageOptions:
    """One stage of a residual network.

    Attributes:
        kind: ``basic`` or ``bottleneck``.
        planes: inner width; bottlenecks give four times as many channels.
        stride: of the first block.
        dilations: of each block.
        caffe_style: a bottleneck's stride lies in its first 1x1 convolution instead of the 3x3.
        avg_down: the shortcut pools before its convolution.
        groups: of the 3x3 convolutions.
        base_width: width of a group, relative to 64 planes.
        radix: splits of split attention; None for plain bottlenecks.
        reduction_factor: of split attention's hidden layer.
        avg_down_stride: split attention pools instead of striding.
    """

    kind: str
    planes: int
    stride: int
    dilations: tuple[int, ...]
    caffe_style: bool
    avg_down: bool
    groups: int = 1
    base_width: float = 64
    radix: int | None = None
    reduction_factor: int = 4
    avg_down_stride: bool = True


def build_stage(in_channels: int, options: StageOptions, norm: Norm) -> tuple[nn.Sequential, int]:
    """The blocks of a stage, and its number of output channels.

    Args:
        in_channels: channels of the stage before.
        options: of this stage.
        norm: makes a norm layer from a number of channels.
    """
    out_channels = options.planes * (1 if options.kind == 'basic' else 4)
    blocks = []
    for position, dilation in enumerate(options.dilations):
        stride = options.stride if position == 0 else 1
        shortcut = None
        if stride != 1 or in_channels != out_channels:
            shortcut = _shortcut(in_channels, out_channels, stride, options.avg_down, norm)
        blocks.append(_block(in_channels, stride, dilation, shortcut, options, norm))
        in_channels = out_channels
    return nn.Sequential(*blocks), out_channels


def _shortcut(in_channels: int, out_channels: int, stride: int, avg_down: bool, norm: Norm) -> nn.Sequential:
    if not avg_down:
        return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), norm(out_channels))
    # Without a stride there is nothing to pool, but the keys of the other two count from 1 all the same.
    pool = nn.AvgPool2d(stride, stride, ceil_mode=True, count_include_pad=False) if stride > 1 else nn.Identity()
    return nn.Sequential(pool, nn.Conv2d(in_channels, out_channels, 1, bias=False), norm(out_channels))


def _block(
    in_channels: int, stride: int, dilation: int, shortcut: nn.Module | None, options: StageOptions, norm: Norm
) -> nn.Module:
    from timm.models.resnet import BasicBlock, Bottleneck

    common: dict[str, Any] = {'downsample': shortcut, 'norm_layer': norm}
    if options.kind == 'basic':
        # timm dilates the second convolution by `dilation`; the published networks only the first.
        return BasicBlock(in_channels, options.planes, stride, first_dilation=dilation, dilation=1, **common)
    common |= {'cardinality': options.groups, 'base_width': options.base_width}
    if options.radix is not None:
        block = _split_attention_block(in_channels, stride, dilation, options, norm, common)
    else:
        block = Bottleneck(in_channels, options.planes, stride, first_dilation=dilation, dilation=dilation, **common)
    if options.caffe_style and stride > 1:
        _stride_first(block, options)
    return block


def _split_attention_block(
    in_channels: int, stride: int, dilation: int, options: StageOptions, norm: Norm, common: dict[str, Any]
) -> nn.Module:
    from timm.layers import SplitAttn
    from timm.models.resnest import ResNestBottleneck

    block = ResNestBottleneck(
        in_channels,
        options.planes,
        stride,
        radix=options.radix,
        avd=options.avg_down_stride,
        first_dilation=dilation,
        dilation=dilation,
        **common,
    )
    conv = block.conv2.conv
    joined = conv.in_channels * options.radix
    reduced = max(joined // options.reduction_factor, 32)
    if block.conv2.fc1.out_channels != reduced:  # timm rounds, and knows factor 4 alone
        block.conv2 = SplitAttn(
            conv.in_channels,
            stride=conv.stride[0],
            padding=dilation,
            dilation=dilation,
            groups=options.groups,
            radix=options.radix,
            rd_ratio=reduced / joined,
            rd_divisor=1,
            norm_layer=norm,
        )
    return block


def _stride_first(block: nn.Module, options: StageOptions) -> None:
    """Move a bottleneck's stride from its 3x3 convolution to its first 1x1."""
    if options.radix is not None:
        raise ValueError('ResNeSt has no caffe style: its stride is that of the pooling after the 3x3 convolution')
    block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
