"""Losses scaled up before the backward of float16 passes, so that small gradients do not become 0.

``torch.amp.GradScaler`` does this for one optimizer at a time; here optimizers may share parameters (a discriminator
in two of them), and an overflow anywhere leaves out the whole step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

INITIAL = 2.0**16
GROWTH, BACKOFF, INTERVAL = 2.0, 0.5, 2000  # those of PyTorch's scaler


class LossScaler:
    """The factor on the losses: halved after each overflow, doubled after 2000 steps without one.

    All numbers stay on the device. A fused optimizer leaves out the step of an overflow there; for another one, and for
    the first step of SGD with momentum, the host has to know, and waits for the device once per step.
    """

    def __init__(self) -> None:
        self._scale = torch.tensor(INITIAL)
        self._steps = torch.tensor(0)

    def scale(self, loss: Tensor) -> Tensor:
        """The loss to call ``backward`` on."""
        self._to(loss.device)
        return loss * self._scale

    @property
    def factor(self) -> Tensor:
        """The scale, a scalar on the device."""
        return self._scale

    @torch.no_grad()
    def unscale(self, optimizers: Iterable[Optimizer]) -> None:
        """Gradients of all optimizers as if the losses had not been scaled, and the next step's scale.

        After an overflow (a gradient that is not finite) the optimizers' next ``step`` changes nothing.
        """
        optimizers = list(optimizers)
        groups = (group for optimizer in optimizers for group in optimizer.param_groups)
        parameters = {id(p): p for group in groups for p in group['params'] if p.grad is not None}
        gradients: list[Tensor] = [p.grad for p in parameters.values() if p.grad is not None]
        if not gradients:
            return
        self._to(gradients[0].device)
        torch._foreach_mul_(gradients, self._scale.reciprocal())
        # The largest magnitude is not finite where any gradient is not; a sum could overflow by itself.
        largest = torch.stack(torch._foreach_norm(gradients, torch.inf))
        overflow = ~largest.isfinite().all()
        self._adapt(overflow)
        on_device = all(_leaves_out_on_device(optimizer) for optimizer in optimizers)
        for optimizer in optimizers:
            setattr(optimizer, 'found_inf', overflow.float() if on_device else None)  # noqa: B010, fused kernels read it
        if not on_device and overflow:
            for parameter in parameters.values():
                parameter.grad = None

    def _adapt(self, overflow: Tensor) -> None:
        self._steps = torch.where(overflow, 0, self._steps + 1)
        grown = self._steps >= INTERVAL
        factor = torch.where(overflow, BACKOFF, torch.where(grown, GROWTH, 1.0))
        self._scale = self._scale * factor
        self._steps = self._steps.masked_fill(grown, 0)

    def _to(self, device: torch.device) -> None:
        self._scale, self._steps = (x.to(device, non_blocking=True) for x in (self._scale, self._steps))

    def training_state(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {'scale': float(self._scale), 'steps': int(self._steps)}

    def load_training_state(self, state: Mapping[str, Any]) -> None:
        """Continue where ``training_state`` was taken."""
        self._scale, self._steps = torch.tensor(float(state['scale'])), torch.tensor(int(state['steps']))


def _leaves_out_on_device(optimizer: Optimizer) -> bool:
    """Whether the optimizer's next step can be left out without the host.

    Fused SGD makes its momentum buffers in its first step without filling them; if it then leaves that step out, the
    next one goes where the memory happened to point.
    """
    if not getattr(optimizer, '_step_supports_amp_scaling', False):
        return False
    moving = (p for group in optimizer.param_groups if group.get('momentum') for p in group['params'])
    return all(p.grad is None or 'momentum_buffer' in optimizer.state.get(p, {}) for p in moving)
