"""When checkpoints are written, and which are kept."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import BaseLoop

from mmseg.engine.checkpoint_file import remove_partial_files, share_checkpoint
from mmseg.engine.config_text import read_config_text
from mmseg.engine.gradient_sync import broadcast_buffers, rank
from mmseg.engine.training_state import load_checkpoint, save_checkpoint
from mmseg.registry import HOOKS

LATEST = 'latest.pth'


@HOOKS.register_module()
class CheckpointHook(Hook):
    """Writes ``iter_N.pth`` with ``latest.pth`` beside it, and ``best_<metric>_iter_N.pth``.

    A checkpoint is written before the validation of its iteration, which may take long; the best one is written after.

    Args:
        interval: iterations between checkpoints, -1 = none; the last iteration and an interrupted one are always saved.
        max_keep: number of ``iter_N.pth`` that stay; 0 or -1 = all.
        save_best: metric whose highest value is kept (``mIoU``, which ``auto`` stands for too); None = none. Tables
            use the last iterate, as the best one is chosen on the labels of the target domain.
        by_epoch, max_keep_ckpts: names of mmengine, understood too.

    Raises:
        ValueError: for an interval that is none, or epochs.
    """

    priority = 'VERY_LOW'

    def __init__(
        self,
        interval: int = 4000,
        max_keep: int = 1,
        save_best: str | None = None,
        by_epoch: bool = False,
        max_keep_ckpts: int | None = None,
    ) -> None:
        if by_epoch:
            raise ValueError('default_hooks.checkpoint: by_epoch=True, but runs are counted in iterations')
        if not isinstance(interval, int) or (interval < 1 and interval != -1):
            raise ValueError(
                f'default_hooks.checkpoint: interval={interval}: expected a whole number of at least 1, or -1 for none'
            )
        self.interval = interval
        self.max_keep = max_keep if max_keep_ckpts is None else max_keep_ckpts
        self.save_best = 'mIoU' if save_best == 'auto' else save_best
        self._saved = -1

    def before_train(self, runner: Any) -> None:
        _check_metric(runner, self.save_best)
        if rank() == 0:
            remove_partial_files(runner.work_dir)
            if runner.iter == 0:
                _move_aside(runner)

    def after_iteration(self, runner: Any) -> None:
        """Saves at the interval, at the end, and before an interrupted run stops."""
        loop, done = runner.train_loop, runner.iter
        if (self.interval > 0 and done % self.interval == 0) or done == loop.max_iters or loop.stop_training:
            self._saved = done
            broadcast_buffers(runner.model)
            if rank() == 0:
                self._save(runner)

    def after_train(self, runner: Any) -> None:
        """Saves a run that was told to stop after ``after_iteration``: while it validated, for example."""
        if runner.train_loop.stop_training and self._saved != runner.iter:
            self.after_iteration(runner)

    def after_val_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        # Asking the runner for its loop would build one, and with it the training data.
        training = isinstance(runner._train_loop, BaseLoop)
        if self.save_best is None or not training:
            return
        score = _score(metrics or {}, self.save_best)
        best = runner.best.get(self.save_best)
        if score != score or (best is not None and score <= best['score']):
            return
        runner.best[self.save_best] = {'score': score, 'iteration': runner.iter}
        if rank() == 0:
            self._save_best(runner, score)

    def _save(self, runner: Any) -> None:
        folder, done = Path(runner.work_dir), runner.iter
        path = folder / f'iter_{done}.pth'
        save_checkpoint(path, runner)
        share_checkpoint(path, folder / LATEST)
        runner.logger.info(f'Saved {path}')
        if self.max_keep > 0:
            others = [file for file in folder.glob('iter_*.pth') if re.fullmatch(r'iter_\d+\.pth', file.name)]
            others = sorted((file for file in others if file != path), key=lambda file: file.stat().st_mtime)
            for file in others[: max(len(others) - self.max_keep + 1, 0)]:
                file.unlink(missing_ok=True)

    def _save_best(self, runner: Any, score: float) -> None:
        folder, done = Path(runner.work_dir), runner.iter
        path = folder / f'best_{self.save_best}_iter_{done}.pth'
        save_checkpoint(path, runner)
        same = folder / f'iter_{done}.pth'
        if same.exists():
            # Written before this validation: it gets the new best score too, or a resumed run would not know it.
            share_checkpoint(path, same)
            share_checkpoint(path, folder / LATEST)
        for file in folder.glob(f'best_{self.save_best}_iter_*.pth'):
            if file != path:
                file.unlink(missing_ok=True)
        runner.logger.info(f'Saved {path} ({self.save_best} {score:.2f})')


def _check_metric(runner: Any, name: str | None) -> None:
    """Raises ValueError before the first iteration if validation will not give the score that ``save_best`` names."""
    metrics = getattr(getattr(runner.val_loop, 'evaluator', None), 'metrics', [])
    known = [score for metric in metrics for score in getattr(metric, 'mean_names', ['any'])]
    if name is None or not known or 'any' in known or '.' in name or name.rpartition('/')[2] in known:
        return
    raise ValueError(
        f'default_hooks.checkpoint.save_best={name!r}: validation gives {", ".join(dict.fromkeys(known))}; '
        'set it to one of these, or None'
    )


def _move_aside(runner: Any) -> None:
    """What an earlier run left in the work dir into a folder of its own: the new one would prune it."""
    folder = Path(runner.work_dir)
    checkpoints = [*folder.glob('iter_*.pth'), *folder.glob('best_*.pth'), *folder.glob(LATEST)]
    files = [*checkpoints, *folder.glob('eval_*.json')]
    if not checkpoints:
        return
    written = time.localtime(max(file.stat().st_mtime for file in files))
    aside = folder / f'earlier_{time.strftime("%Y%m%d_%H%M%S", written)}'
    aside.mkdir(exist_ok=True)
    _write_config(checkpoints[0], aside)
    for file in files:
        file.replace(aside / file.name)
    runner.logger.info(
        f'A new run: checkpoints and scores of an earlier one are in {aside} now (--resume would continue it)'
    )


def _write_config(checkpoint: Path, folder: Path) -> None:
    """The config that a checkpoint was trained with, so that the folder can be tested."""
    try:
        text = load_checkpoint(checkpoint)['meta'].get('config', '')
        read_config_text(text)
    except (ValueError, KeyError):  # somebody else's file
        return
    if text:
        (folder / f'{folder.name}.py').write_text(text, encoding='utf-8')


def _score(metrics: dict[str, float], name: str) -> float:
    for key, value in metrics.items():
        if key == name or key.endswith(f'/{name}'):
            return float(value)
    raise ValueError(
        f'default_hooks.checkpoint.save_best={name!r} is not among the validation results: {", ".join(metrics)}'
    )
