"""The log's numbers and the training panels as TensorBoard events."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.hooks import Hook

from mmseg.engine.gradient_sync import rank
from mmseg.registry import HOOKS

COSTS = ('time', 'data_time', 'memory')


@HOOKS.register_module()
class TensorBoardHook(Hook):
    """Writes what ``log.jsonl`` gets, and the training panels, to ``work_dir/tensorboard``.

    A resumed run goes on there; what the interrupted one wrote after its checkpoint is taken back. A new run moves the
    events of an older one aside. Off unless the config has ``default_hooks.tensorboard``.

    Args:
        log_dir: folder of the events, below the work dir.

    Raises:
        ImportError: TensorBoard is not installed.
    """

    # The writer has to exist before the logger's first row.
    priority = 'NORMAL'

    def __init__(self, log_dir: str = 'tensorboard') -> None:
        self.log_dir = log_dir
        self.writer: Any = None
        self._open: Callable[..., Any] = summary_writer()

    def before_train(self, runner: Any) -> None:
        if rank() > 0:
            return
        folder = Path(runner.work_dir) / self.log_dir
        if runner.iter == 0:
            _move_aside(folder)
        # Events of later steps belong to what the checkpoint does not know.
        self.writer = self._open(log_dir=str(folder), purge_step=runner.iter + 1 if runner.iter else None)

    def after_log(self, runner: Any, row: Mapping[str, Any]) -> None:
        """A row of the log; see :class:`~mmseg.engine.hooks.logger.LoggerHook`."""
        if self.writer is None:
            return
        if row['mode'] == 'meta':
            facts = {key: value for key, value in row.items() if key not in ('mode', 'config')}
            text = '\n'.join(f'- {key}: {value}' for key, value in facts.items())
            self.writer.add_text('run', f'{text}\n\n{_as_code(row.get("config", ""))}', row['iter'])
        for tag, value in scalars(row).items():
            self.writer.add_scalar(tag, value, row['iter'])
        # Rows are rare, and a killed run should not lose its last ones.
        self.writer.flush()

    def after_panel(self, runner: Any, picture: np.ndarray, iteration: int) -> None:
        """A drawn training panel, (H, W, 3) uint8 RGB."""
        if self.writer is not None:
            self.writer.add_image('panel', picture, iteration, dataformats='HWC')

    def after_train(self, runner: Any) -> None:
        if self.writer is not None:
            self.writer.close()
            self.writer = None


def scalars(row: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a log row by TensorBoard tag.

    ``train/lr``, ``cost/time``, ``val/mIoU``, ``val_IoU/road``: the part before the slash is a section of the page.
    Scores of absent classes (NaN) are left out.
    """
    tagged = {}
    for name, value in row.items():
        if name in ('mode', 'iter') or isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        if row['mode'] == 'train':
            tagged[f'{"cost" if name in COSTS else "train"}/{name}'] = float(value)
        elif row['mode'] == 'val' and math.isfinite(value):
            score, dot, label = name.partition('.')
            tagged[f'val_{score}/{label}' if dot else f'val/{score}'] = float(value)
    return tagged


def summary_writer() -> Callable[..., Any]:
    """PyTorch's writer of TensorBoard events.

    Raises:
        ImportError: TensorBoard is not installed, or too old for this PyTorch.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ImportError(
            f'default_hooks.tensorboard: {error}; pip install "tensorboard>=2.16", or leave that key out'
        ) from None
    return SummaryWriter


def _move_aside(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        stamp = time.strftime('%Y%m%d_%H%M%S', time.localtime(folder.stat().st_mtime))
        os.replace(folder, folder.with_name(f'{folder.name}_{stamp}'))


def _as_code(text: str) -> str:
    """Markdown shows indented lines as they are."""
    return '\n'.join(f'    {line}' for line in text.splitlines())
