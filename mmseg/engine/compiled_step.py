"""A step whose networks may turn out not to compile."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any, TypeVar

import torch

T = TypeVar('T')
USER_ERRORS = (ValueError, FileNotFoundError)


def with_fallback(method: Any, gradients: Callable[[], T]) -> T:
    """``gradients()``; where a compiler fails in it, once more with the networks as they are, and so from then on.

    What a compiler cannot do shows in a forward or a backward, of the first steps above all. Until these have run
    through, what a step may have moved (teachers, statistics, prototypes) is put back before the second try.

    Args:
        method: its ``compiled`` networks may be None.
        gradients: the part of a step before the optimizers'.
    """
    compiled = method.compiled
    if compiled is None:
        return gradients()
    tensors = list(chain(method.parameters(), method.buffers())) if compiled.trials else []
    before = [tensor.detach().clone() for tensor in tensors]
    compiled.begin_step()
    try:
        result = gradients()
    except Exception as error:
        if isinstance(error, USER_ERRORS):
            raise
        compiled.give_up(error)
        method.compiled = None
        with torch.no_grad():
            for tensor, value in zip(tensors, before, strict=True):
                tensor.copy_(value)
    else:
        compiled.trials = max(0, compiled.trials - 1)
        return result
    return gradients()
