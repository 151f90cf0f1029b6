"""An encoder's weights in the 16 bits of autocast, cast together instead of one by one.

Autocast casts the weights of every convolution and product in every pass, and their gradients back: a launch each, and
a third of all launches in a step of a Mix Transformer. The numbers are the same here, with a few launches for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from timm.layers import Conv2dSame
from torch import Tensor, nn

# A layer whose forward does nothing with its weights but what autocast runs in 16 bits.
PLAIN_FORWARDS = frozenset(
    layer.forward for layer in (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, Conv2dSame)
)  # fmt: skip
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
    if dtype is None or _is_captured(encoder):
        yield
        return
    places = list(_places(encoder))
    masters = {id(weight): weight for _, _, weight in places}
    casts = dict(zip(masters, cast_all(list(masters.values()), dtype), strict=True))
    try:
        for layer, name, weight in places:
            layer._parameters[name] = casts[id(weight)]
        yield
    finally:
        for layer, name, weight in places:
            layer._parameters[name] = weight


def cast_all(weights: Sequence[Tensor], dtype: torch.dtype) -> list[Tensor]:
    """Float32 tensors in another format, with gradients if they have some, in a few launches."""
    learning = torch.is_grad_enabled()
    groups: dict[bool, list[int]] = {True: [], False: []}
    for index, weight in enumerate(weights):
        groups[learning and weight.requires_grad].append(index)
    casts: dict[int, Tensor] = {}
    for needs_gradient, indices in groups.items():
        chosen = [weights[index] for index in indices]
        results = _CastAll.apply(dtype, *chosen) if needs_gradient and chosen else _cast(chosen, dtype)
        casts |= zip(indices, results, strict=True)
    return [casts[index] for index in range(len(weights))]


class _CastAll(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, dtype: torch.dtype, *weights: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        ctx.dtypes = [weight.dtype for weight in weights]
        return tuple(_cast(weights, dtype))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        reached = [index for index, grad in enumerate(grads) if grad is not None]
        wide = _cast([grads[index] for index in reached], torch.float32)
        found = dict(zip(reached, wide, strict=True))
        return (None, *(found.get(index) for index in range(len(grads))))


@torch.no_grad()
def _cast(tensors: Sequence[Tensor], dtype: torch.dtype) -> list[Tensor]:
    casts = [torch.empty_like(tensor, dtype=dtype) for tensor in tensors]
    if casts:
        torch._foreach_copy_(casts, list(tensors))
    return casts


def _places(encoder: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Parameter]]:
    """Layer, name and weight of whatever autocast would cast as it is."""
    for layer in encoder.modules():
        if type(layer).forward not in PLAIN_FORWARDS:
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
