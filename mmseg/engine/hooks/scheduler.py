"""Moves the learning rates after every iteration."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook

from mmseg.registry import HOOKS


@HOOKS.register_module()
class SchedulerHook(Hook):
    """Steps all parameter schedulers, after the iteration has been logged with the rate it used."""

    priority = 'LOW'

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        schedulers = runner.param_schedulers or []
        groups = schedulers.values() if isinstance(schedulers, dict) else [schedulers]
        for scheduler in (scheduler for group in groups for scheduler in group):
            scheduler.step()
