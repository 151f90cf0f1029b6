"""Gradients of several passes, added up together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def added_together(networks: Iterable[nn.Module]) -> Iterator[None]:
    """Within it a backward's gradients are kept apart; then they are added to those before in a few launches.

    Left to itself autograd adds each parameter's gradient in a launch of its own. The sums are the same.

    Args:
        networks: whose parameters' gradients are meant.
    """
    before = [(weight, weight.grad) for network in networks for weight in network.parameters()]
    kept = {id(weight): (weight, grad) for weight, grad in before if grad is not None}
    for weight, _ in kept.values():
        weight.grad = None
    try:
        yield
        fresh = [(grad, weight.grad) for weight, grad in kept.values() if weight.grad is not None]
        if fresh:
            torch._foreach_add_([grad for grad, _ in fresh], [grad for _, grad in fresh])
    finally:
        for weight, grad in kept.values():
            weight.grad = grad
