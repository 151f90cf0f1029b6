"""Floating-point operations of a training step: convolutions, matrix products and attention, forward and backward."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

ATTENTION_ON_CPU = 'aten::_scaled_dot_product_flash_attention_for_cpu'


def count(work: Callable[[], Any]) -> int:
    """Operations of ``work``; a multiplication and an addition are two.

    PyTorch's counter takes the backward of a grouped convolution for a dense one, and does not know the attention of
    CPUs; both are counted here by their formulas.
    """
    mapping: dict[Any, Any] = {torch.ops.aten.convolution_backward: _convolution_backward}
    for suffix, formula in (('', _attention), ('_backward', _attention_backward)):
        operator = getattr(torch.ops.aten, ATTENTION_ON_CPU.split('::')[1] + suffix, None)
        if operator is not None:
            mapping[operator] = formula
    with FlopCounterMode(display=False, custom_mapping=mapping) as counter:
        work()
    return counter.get_total_flops()


def _convolution_backward(
    grad_shape: Sequence[int],
    x_shape: Sequence[int],
    weight_shape: Sequence[int],
    _bias: Any,
    _stride: Any,
    _padding: Any,
    _dilation: Any,
    transposed: bool,
    _output_padding: Any,
    _groups: int,
    output_mask: Sequence[bool],
    **_: Any,
) -> int:
    # The weight's second side is already the channels of one group.
    positions = x_shape if transposed else grad_shape
    forward = 2 * math.prod(weight_shape) * positions[0] * math.prod(positions[2:])
    return forward * (bool(output_mask[0]) + bool(output_mask[1]))


def _attention(query: Sequence[int], key: Sequence[int], value: Sequence[int], *_: Any, **__: Any) -> int:
    batch, heads, length, width = query
    return 2 * batch * heads * length * key[2] * (width + value[3])


def _attention_backward(
    _grad: Any, query: Sequence[int], key: Sequence[int], value: Sequence[int], *_: Any, **__: Any
) -> int:
    # The scores once more, then the gradients of both products.
    batch, heads, length, width = query
    return 2 * batch * heads * length * key[2] * (3 * width + 2 * value[3])
