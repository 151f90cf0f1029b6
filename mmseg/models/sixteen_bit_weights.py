"""An encoder's weights in the 16 bits of autocast, cast together instead of one by one.

Autocast casts the weights of every convolution and product in every pass, and their gradients back: a launch each, and
a third of all launches in a step of a Mix Transformer. The numbers are the same here, with a few launches for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

WEIGHTS = ('weight', 'bias')


@contextmanager
def cast_together(encoder: nn.Module, device: torch.device) -> Iterator[None]:
    """Within it and under autocast, the layers of ``encoder`` have their weights in 16 bits.

    Gradients reach the weights themselves. Layers that are not known to use their weights in 16 bits only keep them,
    and so does an encoder that is compiled, whose casts are fused.

    Args:
        encoder: to be called once or more.
        device: of its images.
    """
    dtype = _autocast_dtype(device)
    places = [] if dtype is None or _is_captured(encoder) else list(_places(encoder))
    weights = {id(weight): weight for _, _, weight in places}  # layers may share them
    casts = dict(zip(weights, _CastAll.apply(dtype, *weights.values()), strict=True)) if weights else {}
    try:
        for layer, name, weight in places:
            layer._parameters[name] = casts[id(weight)]
        yield
    finally:
        for layer, name, weight in places:
            layer._parameters[name] = weight


class _CastAll(torch.autograd.Function):
    """Tensors in another number format; gradients come back in their own."""

    @staticmethod
    def forward(ctx: Any, dtype: torch.dtype, *weights: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        casts = _cast(weights, dtype)
        learning = ctx.needs_input_grad[1:]
        ctx.mark_non_differentiable(*(cast for cast, learns in zip(casts, learning, strict=True) if not learns))
        return tuple(casts)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        wide = iter(_cast([grad for grad in grads if grad is not None], torch.float32))
        return (None, *(None if grad is None else next(wide) for grad in grads))


@torch.no_grad()
def _cast(tensors: Sequence[Tensor], dtype: torch.dtype) -> list[Tensor]:
    casts = [torch.empty_like(tensor, dtype=dtype) for tensor in tensors]
    if casts:
        torch._foreach_copy_(casts, list(tensors))
    return casts


@cache
def _plain_forwards() -> frozenset[Any]:
    """What layers do that use their weights for nothing but what autocast runs in 16 bits."""
    from timm.layers import Conv2dSame  # a slow import

    layers = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, Conv2dSame)
    return frozenset(layer.forward for layer in layers)


def _places(encoder: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Parameter]]:
    """Layer, name and weight of whatever autocast would cast as it is."""
    for layer in encoder.modules():
        if type(layer).forward not in _plain_forwards():
            continue
        for name in WEIGHTS:
            weight = layer._parameters.get(name)
            if weight is not None and weight.dtype == torch.float32:
                yield layer, name, weight


def _autocast_dtype(device: torch.device) -> torch.dtype | None:
    """The 16 bits that autocast is on with; None = it is off."""
    if not torch.amp.is_autocast_available(device.type) or not torch.is_autocast_enabled(device.type):
        return None
    return torch.get_autocast_dtype(device.type)


def _is_captured(encoder: nn.Module) -> bool:
    """Whether the encoder is compiled or traced."""
    return encoder._compiled_call_impl is not None or torch.compiler.is_compiling() or torch.jit.is_tracing()
