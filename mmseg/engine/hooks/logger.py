"""The console line and the JSON-lines log of a run."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from torch import Tensor

from mmseg.engine.gradient_sync import mean_of_values, rank
from mmseg.engine.json_log import JsonLog
from mmseg.registry import HOOKS

MEBIBYTE = 2**20


@HOOKS.register_module()
class LoggerHook(Hook):
    """Logs the values that a method hands out, and validation results, to the console and ``work_dir/log.jsonl``.

    Each row of the file goes to the hook point ``after_log(runner, row)`` too, for further loggers.

    Args:
        interval: iterations between log lines. The method averages its values over them; nothing is read from the
            device in between.
    """

    priority = 'BELOW_NORMAL'

    def __init__(self, interval: int = 50) -> None:
        if interval < 1:
            raise ValueError(f'default_hooks.logger.interval={interval}: expected at least 1')
        self.interval = interval
        self.log: JsonLog | None = None

    def before_train(self, runner: Any) -> None:
        runner.model.log_interval = self.interval
        if rank() == 0:
            self.log = JsonLog(Path(runner.work_dir) / 'log.jsonl', keep_until=runner.iter)
            self._write(runner, {'mode': 'meta', 'iter': runner.iter, **runner.environment()})

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        if not outputs:
            return
        values = mean_of_values(_numbers(outputs))
        seconds, data_seconds = runner.train_loop.clock.lap()
        done, total = batch_idx + 1, runner.max_iters
        rates = {name: optimizer.param_groups[0]['lr'] for name, optimizer in runner.optimizers.items()}
        rates = {'lr' if name == 'main' else f'lr_{name}': rate for name, rate in rates.items()}
        memory = peak_memory()
        eta = timedelta(seconds=round(seconds * (total - done)))
        parts = [f'{name}: {rate:.3e}' for name, rate in rates.items()]
        parts += [f'eta: {eta}', f'time: {seconds:.3f}', f'data_time: {data_seconds:.3f}', f'memory: {memory}']
        parts += [f'{name}: {value:.4f}' for name, value in values.items()]
        runner.logger.info(f'Iter [{done}/{total}]  ' + ', '.join(parts))
        timing = {'time': round(seconds, 5), 'data_time': round(data_seconds, 5), 'memory': memory}
        self._write(runner, {'mode': 'train', 'iter': done, **rates, **timing, **values})
        bad = [name for name, value in values.items() if not math.isfinite(value)]
        if bad:
            runner.logger.warning(f'{", ".join(bad)} not finite at iteration {done}')

    def after_val_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None, mode: str = 'val'
    ) -> None:
        loop = runner.val_loop if mode == 'val' else runner.test_loop
        if (batch_idx + 1) % self.interval == 0:
            runner.logger.info(f'Iter({mode}) [{batch_idx + 1}/{len(loop.dataloader)}]')

    def after_test_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self.after_val_iter(runner, batch_idx, mode='test')

    def after_val_epoch(self, runner: Any, metrics: dict[str, float] | None = None, mode: str = 'val') -> None:
        numbers = _numbers(metrics or {})
        summary = [f'{name}: {value:.2f}' for name, value in numbers.items() if '.' not in name]
        loop = runner.val_loop if mode == 'val' else runner.test_loop
        runner.logger.info(f'Iter({mode}) [{len(loop.dataloader)}]  ' + ', '.join(summary))
        # Outside a training, asking the runner for its iteration would build the training data.
        if self.log:
            self._write(runner, {'mode': mode, 'iter': runner.iter, **numbers})

    def after_test_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        self.after_val_epoch(runner, metrics, mode='test')

    def _write(self, runner: Any, row: dict[str, Any]) -> None:
        if self.log:
            self.log.write(row)
            runner.call_hook('after_log', row=row)


def peak_memory() -> int:
    """Highest memory use so far in MiB: of the GPU, or of the process where there is none."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() // MEBIBYTE
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // MEBIBYTE if sys.platform == 'darwin' else peak // 1024


def _numbers(values: dict[str, Any]) -> dict[str, float]:
    """Single numbers as floats; all tensors are read from the device at once."""
    tensors = {name: value for name, value in values.items() if isinstance(value, Tensor) and value.numel() == 1}
    read: list[float] = []
    if tensors:
        read = torch.stack([value.detach().double().reshape(()) for value in tensors.values()]).tolist()
    by_name = dict(zip(tensors, read, strict=True))
    plain = {name: float(value) for name, value in values.items() if isinstance(value, (int, float))}
    return {name: by_name.get(name, plain.get(name, 0.0)) for name in values if name in by_name or name in plain}
