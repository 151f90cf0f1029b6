"""A step whose networks may turn out not to compile."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any, TypeVar

import torch

T = TypeVar('T')
NOT_THE_COMPILER = (ValueError, FileNotFoundError, torch.OutOfMemoryError)


def with_fallback(method: Any, gradients: Callable[[], T]) -> T:
    """``gradients()``; where a compiler fails in it, once more with the networks as they are, and so from then on.

    What a compiler cannot do shows in a forward or a backward of the first steps, as one of many errors. Until these
    have run through, what a step may have moved (teachers, statistics, prototypes) is put back before the second try.
    After them an error is an error: nothing is tried twice.

    Args:
        method: its ``compiled`` networks may be None.
        gradients: the part of a step before the optimizers'.
    """
    compiled = method.compiled
    if compiled is None:
        return gradients()
    compiled.begin_step()
    if not compiled.trials:
        return gradients()
    tensors = list(chain(method.parameters(), method.buffers()))
    before = [tensor.detach().clone() for tensor in tensors]
    try:
        result = gradients()
    except NOT_THE_COMPILER:
        raise
    except Exception as error:  # noqa: BLE001 - compilers raise anything; if it was not theirs, the second try raises it
        compiled.give_up(error)
    else:
        compiled.trials -= 1
        return result
    method.compiled = None
    with torch.no_grad():
        for tensor, value in zip(tensors, before, strict=True):
            tensor.copy_(value)
    return gradients()
