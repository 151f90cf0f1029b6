"""Polynomial learning-rate schedules, exact at every iteration."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from mmengine.optim.scheduler.param_scheduler import _ParamScheduler
from torch.optim import Optimizer

from mmseg.registry import PARAM_SCHEDULERS


def poly_rate(
    base: float,
    iteration: int,
    max_iters: int,
    power: float = 1.0,
    min_lr: float = 0.0,
    warmup_iters: int = 0,
    warmup_ratio: float = 1e-6,
) -> float:
    """Learning rate before the step of ``iteration`` (0-based).

    ``((base - min_lr) (1 - t/T)^power + min_lr) w(t)`` with ``w = 1 - (1 - t/W)(1 - ratio)`` for t < W, else 1. A
    ``min_lr`` above ``base`` makes the rate rise, as in one published experiment.
    """
    rate = (base - min_lr) * max(1 - iteration / max_iters, 0.0) ** power + min_lr
    if iteration < warmup_iters:
        rate *= 1 - (1 - iteration / warmup_iters) * (1 - warmup_ratio)
    return rate


@PARAM_SCHEDULERS.register_module()
class Poly(_ParamScheduler):
    """Polynomial decay with an optional linear warm-up, from a closed form of the iteration.

    Args:
        optimizer: whose groups' ``lr`` is set; their value at the start is the base rate.
        max_iters: length of the run; the runner fills it in from ``train_cfg.max_iters``.
        power, min_lr, warmup_iters, warmup_ratio: see ``poly_rate``.

    Raises:
        ValueError: if ``max_iters`` is not positive.
    """

    takes_max_iters = True

    def __init__(
        self,
        optimizer: Any,
        max_iters: int,
        power: float = 1.0,
        min_lr: float = 0.0,
        warmup_iters: int = 0,
        warmup_ratio: float = 1e-6,
    ) -> None:
        if max_iters < 1:
            raise ValueError(f'max_iters={max_iters}: a schedule needs at least one iteration')
        self.rate = partial(
            poly_rate,
            max_iters=max_iters,
            power=power,
            min_lr=min_lr,
            warmup_iters=warmup_iters,
            warmup_ratio=warmup_ratio,
        )
        super().__init__(optimizer, 'lr', by_epoch=False)

    def _get_value(self) -> list[float]:
        return [self.rate(base, self.last_step) for base in self.base_values]

    def state_dict(self) -> dict[str, Any]:
        """The position and the base rates; the curve itself belongs to the config."""
        return {'last_step': self.last_step, 'base_values': list(self.base_values)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes to the saved position and sets the rate of the next iteration."""
        self.last_step = self._global_step = state_dict['last_step']
        self.base_values = list(state_dict['base_values'])
        for group, value in zip(self.optimizer.param_groups, self._get_value(), strict=True):
            group[self.param_name] = value


@PARAM_SCHEDULERS.register_module()
class Poly10(Poly):
    """Linear decay to 1e-4, no warm-up (``poly10`` of DAFormer's experiment 4: rates below 1e-4 rise)."""

    def __init__(self, optimizer: Any, max_iters: int, min_lr: float = 1e-4) -> None:
        super().__init__(optimizer, max_iters, min_lr=min_lr)


@PARAM_SCHEDULERS.register_module()
class Poly10Warm(Poly):
    """Linear decay to 0 after a linear warm-up of 1500 iterations (``poly10warm`` of the DAFormer family)."""

    def __init__(
        self, optimizer: Any, max_iters: int, warmup_iters: int = 1500, warmup_ratio: float = 1e-6, min_lr: float = 0.0
    ) -> None:
        super().__init__(optimizer, max_iters, min_lr=min_lr, warmup_iters=warmup_iters, warmup_ratio=warmup_ratio)


def build_schedulers(config: Any, optimizers: Mapping[str, Optimizer], max_iters: int) -> dict[str, list[Any]]:
    """What sets the learning rates of a run.

    Args:
        config: one schedule or a list, for all optimizers; or a dict of these by the optimizers' names.
        optimizers: by name.
        max_iters: length of the run, for schedules that do not say theirs.

    Raises:
        ValueError: the config names an optimizer that is none.
    """
    by_name = config if isinstance(config, Mapping) and 'type' not in config else None
    if by_name is not None and (unknown := sorted(set(by_name) - set(optimizers))):
        raise ValueError(f'param_scheduler names {unknown}, the optimizers are {sorted(optimizers)}')
    built = {}
    for name, optimizer in optimizers.items():
        configs = by_name.get(name, []) if by_name is not None else config
        configs = [configs] if isinstance(configs, Mapping) else configs
        built[name] = [_build(one, optimizer, max_iters) for one in configs]
    return built


def _build(config: Mapping[str, Any], optimizer: Optimizer, max_iters: int) -> Any:
    kind, options = PARAM_SCHEDULERS.get(config['type']), dict(config)
    if getattr(kind, 'takes_max_iters', False):
        options.setdefault('max_iters', max_iters)
    else:
        options.setdefault('by_epoch', False)
        options.setdefault('end', max_iters)
    return PARAM_SCHEDULERS.build({**options, 'optimizer': optimizer})
