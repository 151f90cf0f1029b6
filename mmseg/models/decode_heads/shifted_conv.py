"""A dilated depthwise convolution that is fast on CPUs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

Window = tuple[slice, slice, slice, slice]
ALL = slice(None)
PER_CHANNEL = (1, -1, 1, 1)


class ShiftedConv2d(nn.Conv2d):
    """A convolution; arguments as of ``nn.Conv2d``.

    The dilated depthwise branches of an ASPP are sums of shifted maps, each times one weight per channel. On a CPU they
    are computed so, with the same result to rounding: oneDNN has no fast kernel for them, least of all channels-last,
    as the maps of transformers lie. In all other cases, and where the network is exported or compiled, this is
    ``nn.Conv2d``.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (B, C, H, W)."""
        if self.is_dilated_depthwise() and _is_plain_cpu(x, self.weight):
            return _ShiftedSum.apply(x, self.weight, self.dilation)
        return super().forward(x)

    def is_dilated_depthwise(self) -> bool:
        """Whether each channel has a dilated kernel of its own and the map keeps its size."""
        reach = tuple(dilation * (size - 1) / 2 for dilation, size in zip(self.dilation, self.kernel_size, strict=True))
        return (
            self.groups == self.in_channels == self.out_channels
            and max(self.dilation) > 1
            and self.stride == (1, 1)
            and self.padding == reach
            and self.padding_mode == 'zeros'
            and self.bias is None
        )


def _is_plain_cpu(x: Tensor, weight: Tensor) -> bool:
    """Whether full-precision numbers are computed with at once, on a CPU."""
    return (
        x.device.type == 'cpu'
        and x.dtype == weight.dtype
        and x.dtype in (torch.float32, torch.float64)
        and not torch.is_autocast_enabled('cpu')
        and not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()
    )


class _ShiftedSum(torch.autograd.Function):
    """Of every place of the kernel: the map, shifted by it, times its weight of each channel; their sum."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, dilation: tuple[int, int]) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.dilation = dilation
        out = torch.zeros_like(x)
        for row, column, to, here in _shifts(weight, dilation, x):
            out[to].addcmul_(x[here], weight[:, 0, row, column].view(PER_CHANNEL))
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, weight = ctx.saved_tensors
        grad_x = torch.zeros_like(x) if ctx.needs_input_grad[0] else None
        grad_weight = torch.zeros_like(weight) if ctx.needs_input_grad[1] else None
        for row, column, to, here in _shifts(weight, ctx.dilation, x):
            if grad_x is not None:
                grad_x[here].addcmul_(grad[to], weight[:, 0, row, column].view(PER_CHANNEL))
            if grad_weight is not None:
                grad_weight[:, 0, row, column] = (grad[to] * x[here]).sum((0, 2, 3))
        return grad_x, grad_weight, None


def _shifts(weight: Tensor, dilation: tuple[int, int], x: Tensor) -> Iterator[tuple[int, int, Window, Window]]:
    """Row and column of each place of the kernel that meets the map, where its products go, and whence they come."""
    height, width = weight.shape[2:]
    for row, column in product(range(height), range(width)):
        to_y, from_y = _overlap((2 * row - height + 1) * dilation[0] // 2, x.shape[2])
        to_x, from_x = _overlap((2 * column - width + 1) * dilation[1] // 2, x.shape[3])
        if to_y.start < to_y.stop and to_x.start < to_x.stop:
            yield row, column, (ALL, ALL, to_y, to_x), (ALL, ALL, from_y, from_x)


def _overlap(offset: int, length: int) -> tuple[slice, slice]:
    """Which of ``length`` pixels have one ``offset`` further on, and which those are."""
    return slice(max(0, -offset), length - max(0, offset)), slice(max(0, offset), length - max(0, -offset))
