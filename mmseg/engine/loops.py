"""The training loop: iterations of one or several micro-batches, validation, and stopping without loss."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.runner import BaseLoop, IterBasedTrainLoop
from torch import nn
from torch.utils.data import DataLoader

from mmseg.engine.clock import Clock
from mmseg.engine.errors import near_names
from mmseg.engine.gradient_sync import broadcast_buffers, world_size
from mmseg.registry import LOOPS

# Seconds in which a second SIGTERM is the first one on another way.
ONE_REQUEST = 2.0
OPTIONS = ('max_iters', 'val_interval', 'val_begin', 'accumulate')


@LOOPS.register_module()
class TrainLoop(IterBasedTrainLoop):
    """Iterations; each is one optimizer step.

    Hook points are mmengine's, and ``after_iteration(runner)`` when ``runner.iter`` counts the finished iterations
    (checkpoints are written there, before a validation that may take long).

    Args:
        runner: the run.
        dataloader: with an infinite sampler that has ``set_start(sample_number)``.
        max_iters: number of iterations.
        val_interval: validate every so many iterations, and at the end.
        val_begin: not before this iteration.
        accumulate: micro-batches per iteration.

    Raises:
        ValueError: for an unknown option or a count below 1.
    """

    def __init__(
        self,
        runner: Any,
        dataloader: DataLoader | dict[str, Any],
        max_iters: int,
        val_interval: int = 4000,
        val_begin: int = 1,
        accumulate: int = 1,
        **unknown: Any,
    ) -> None:
        for key in unknown:
            raise ValueError(f'train_cfg.{key} is unknown{near_names(key, list(OPTIONS), 1)}')
        for key, value in {'max_iters': max_iters, 'val_interval': val_interval, 'accumulate': accumulate}.items():
            if not isinstance(value, (int, float)) or int(value) != value or value < 1:
                raise ValueError(f'train_cfg.{key}={value}: expected a whole number of at least 1')
        BaseLoop.__init__(self, runner, dataloader)
        self._max_iters = int(max_iters)
        self._max_epochs = 1
        self._epoch = 0
        self._iter = 0
        self.val_interval = int(val_interval)
        self.val_begin = val_begin
        self.accumulate = int(accumulate)
        self.stop_training = False
        self.clock = Clock()

    def start_at(self, iteration: int) -> None:
        """Continue with this iteration and the samples that belong to it."""
        self._iter = iteration
        sampler: Any = self.dataloader.sampler
        if not hasattr(sampler, 'set_start'):
            raise ValueError(
                f'train_dataloader.sampler {type(sampler).__name__} cannot start in the middle; a resumed run needs '
                'SampleNumberSampler'
            )
        sampler.set_start(iteration * self.accumulate * (self.dataloader.batch_size or 1) * world_size())

    def run(self) -> nn.Module:
        """Trains to the end, or until asked to stop."""
        runner = self.runner
        runner.call_hook('before_train')
        runner.write_config()
        runner.call_hook('before_train_epoch')
        batches = iter(self.dataloader) if self._iter < self._max_iters else iter(())
        with self._stop_on_signal():
            self.clock = Clock()
            runner.model.train()
            while self._iter < self._max_iters and not self.stop_training:
                with self.clock.loading():
                    data = self._next(batches)
                runner.call_hook('before_train_iter', batch_idx=self._iter, data_batch=data)
                outputs = runner.model.train_step(data, optim_wrapper=runner.optim_wrapper)
                runner.call_hook('after_train_iter', batch_idx=self._iter, data_batch=data, outputs=outputs)
                self._iter += 1
                with self.clock.paused():
                    runner.call_hook('after_iteration')
                    if self._validation_is_due():
                        broadcast_buffers(runner.model)
                        runner.val_loop.run()
                        runner.model.train()
        runner.call_hook('after_train_epoch')
        runner.call_hook('after_train')
        return runner.model

    def _next(self, batches: Iterator[Any]) -> Any:
        """One loader batch, or the list of an iteration's micro-batches."""
        try:
            data = [next(batches) for _ in range(self.accumulate)]
        except StopIteration:
            raise ValueError('train_dataloader ran out of samples; its sampler must be infinite') from None
        return data if self.accumulate > 1 else data[0]

    def _validation_is_due(self) -> bool:
        if self.runner.val_loop is None or self.stop_training or self._iter < self.val_begin:
            return False
        return self._iter % self.val_interval == 0 or self._iter == self._max_iters

    @contextmanager
    def _stop_on_signal(self) -> Iterator[None]:
        """Ctrl-C or a scheduler's SIGTERM ends the run after the iteration, with a checkpoint; the second time at once.

        Several processes would stop at different iterations and wait for each other, so they keep the default. Some
        schedulers send SIGTERM to every process of a job, and run_experiments.py passes its own on: these are one.
        """
        if world_size() > 1 or threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {kind: signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)}
        asked_at: float | None = None

        def stop(kind: int, _frame: Any) -> None:
            nonlocal asked_at
            now = time.monotonic()
            if asked_at is None:
                asked_at = now
                self.stop_training = self.runner.interrupted = True
                self.runner.logger.info('Stopping after this iteration with a checkpoint; once more: at once.')
            elif kind == signal.SIGINT or now - asked_at > ONE_REQUEST:
                signal.signal(kind, before[signal.Signals(kind)])
                signal.raise_signal(kind)

        for kind in before:
            signal.signal(kind, stop)
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)
