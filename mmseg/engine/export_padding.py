"""Tracing networks whose padding depends on the image's size, which timm has in its TensorFlow-trained ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

SIZE_DIVISOR = 32
"""What height and width must be a multiple of where padding is fixed: the encoders' coarsest stride."""


@contextmanager
def fixed_same_padding() -> Iterator[list[int]]:
    """Pads by constants what TensorFlow's rule ``SAME`` pads by the map's size, as long as the context lasts.

    The rule makes every layer's size a nested expression of the one before: with free sizes, tracing takes hours.
    Where a stride divides the size, as it does throughout for multiples of ``SIZE_DIVISOR``, the padding is constant.

    Yields:
        The strides of the layers that used it so far; empty for most networks.
    """
    # The one place from which all of timm's layers take it.
    from timm.layers import padding

    strides: list[int] = []

    def constant(x: int, kernel_size: int, stride: int, dilation: int) -> int:
        strides.append(stride)
        return max((kernel_size - 1) * dilation + 1 - stride, 0)

    by_size = padding.get_same_padding
    padding.get_same_padding = constant
    try:
        yield strides
    finally:
        padding.get_same_padding = by_size
