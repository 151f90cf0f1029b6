"""Context at several scales from strip convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmcv.cnn import ConvModule
from torch import Tensor, nn

from mmseg.models.decode_heads.tall_conv import TallConv2d


class MultiScaleContext(nn.Module):
    """A map plus what its surroundings of several sizes say, projected to fewer channels: PMDAv2's context feature.

    For each size b a (1 x b) and a (b x 1) convolution look at b x b positions; their sum is added to the input. The
    layout is that of SegNeXt's attention (Guo et al., NeurIPS 2022, arXiv:2209.08575) without the multiplication.

    Args:
        in_channels: of the input, and of all branches: they are added to it.
        out_channels: of the result.
        branches: odd sizes b.
        branches_groups: groups of the strip convolutions, 1 = dense; None = depthwise.
        channels: of the branches; only ``in_channels`` is possible.
        in_project: add the branches to a convolution of the input instead of the input itself. The branches read the
            raw input in any case, as in the published code.
        in_project_kernel_size, in_project_groups: of that convolution.
        out_project: False = the sum itself is the result.
        out_project_kernel_size, out_project_groups: of the last convolution.
        conv_options: ``conv_cfg``, ``norm_cfg`` and ``act_cfg`` of all convolutions.

    Raises:
        ValueError: for sizes that are even or missing, or channels or groups that do not fit.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        branches: Sequence[int],
        branches_groups: int | None = None,
        channels: int | None = None,
        in_project: bool = False,
        in_project_kernel_size: int = 5,
        in_project_groups: int = 1,
        out_project: bool = True,
        out_project_kernel_size: int = 1,
        out_project_groups: int = 1,
        **conv_options: Any,
    ):
        super().__init__()
        groups = in_channels if branches_groups is None else branches_groups
        _check(in_channels, branches, groups, channels)
        if not out_project and out_channels != in_channels:
            raise ValueError(f'without out_project the context has in_channels={in_channels}, not {out_channels}')
        self.conv0 = None
        if in_project:
            self.conv0 = _conv(in_channels, in_channels, in_project_kernel_size, in_project_groups, conv_options)
        self.convs = nn.ModuleList(_branch(in_channels, size, groups, conv_options) for size in branches)
        self.conv2 = None
        if out_project:
            self.conv2 = _conv(in_channels, out_channels, out_project_kernel_size, out_project_groups, conv_options)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, h, w) to (B, out_channels, h, w)."""
        total = x if self.conv0 is None else self.conv0(x)
        for branch in self.convs:
            total = total + branch(x)
        return total if self.conv2 is None else self.conv2(total)


def _check(in_channels: int, branches: Sequence[int], groups: int, channels: int | None) -> None:
    if not branches or any(size < 1 or size % 2 == 0 for size in branches):
        raise ValueError(f'the sizes of context branches are odd numbers, such as [7, 11, 21], not {list(branches)}')
    if in_channels % groups:
        raise ValueError(f'branches_groups={groups} does not divide the in_channels={in_channels} of the branches')
    if channels not in (None, in_channels):
        raise ValueError(
            f'context branches are added to their input: channels={channels} must be in_channels={in_channels}'
        )


def _conv(in_channels: int, out_channels: int, size: int, groups: int, options: dict[str, Any]) -> ConvModule:
    return ConvModule(in_channels, out_channels, size, padding=size // 2, groups=groups, **options)


def _branch(channels: int, size: int, groups: int, options: dict[str, Any]) -> nn.Sequential:
    tall = options if options.get('conv_cfg') else {**options, 'conv_cfg': {'type': TallConv2d}}
    reach = size // 2
    return nn.Sequential(
        ConvModule(channels, channels, (1, size), padding=(0, reach), groups=groups, **options),
        ConvModule(channels, channels, (size, 1), padding=(reach, 0), groups=groups, **tall),
    )
