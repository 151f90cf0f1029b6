"""Training a config from start to end, and trying out whether it would."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch.distributed as dist
from mmengine.config import Config
from torch import nn

from mmseg.engine.config import check_is_training
from mmseg.engine.distributed import start_process_group
from mmseg.engine.gradient_sync import is_distributed, rank, world_size
from mmseg.engine.hooks.logger import peak_memory
from mmseg.engine.json_log import read_rows
from mmseg.engine.runner import Runner
from mmseg.engine.training_state import load_checkpoint

DRY_ITERATIONS = 2


def train(cfg: Config, dry_run: bool = False) -> bool:
    """Trains what a config describes.

    Args:
        cfg: the config.
        dry_run: only two iterations, one validation step and a checkpoint in a temporary folder, then a summary.

    Returns:
        False if a signal stopped the run before its end.

    Raises:
        ValueError: the config is an experiment of several stages, or lacks a part of a training.
    """
    if 'stages' in cfg:
        raise ValueError(f'{cfg.filename} lists stages: python run_experiments.py --config {cfg.filename}')
    check_is_training(cfg)
    own_group = not is_distributed() and start_process_group()
    try:
        if dry_run:
            print_once(dry_run_summary(cfg))
            return True
        runner = Runner.from_cfg(cfg)
        runner.train()
        if runner.interrupted:
            runner.logger.info(
                f'Stopped at iteration {runner.iter} of {runner.max_iters}; the same command with --resume continues.'
            )
        return not runner.interrupted
    finally:
        if own_group:
            dist.destroy_process_group()


def dry_run_summary(cfg: Config, method: nn.Module | None = None) -> str:
    """Runs two iterations, a validation step and a checkpoint of a config; says what it took."""
    with tempfile.TemporaryDirectory(prefix='dry_run_') as folder:
        runner = Runner.from_cfg(dry_config(cfg, folder), method)
        runner.train()
        if rank() > 0:
            return ''
        checkpoint = Path(folder) / 'latest.pth'
        load_checkpoint(checkpoint)
        rows = read_rows(Path(folder) / 'log.jsonl')
        trained = [row for row in rows if row['mode'] == 'train']
        validated = any(row['mode'] == 'val' for row in rows)
        megabytes = checkpoint.stat().st_size / 1e6
        panels = len(list((Path(folder) / 'panels').glob('*.png')))
    seconds, iterations = trained[-1]['time'], cfg.train_cfg.max_iters
    lines = [
        'Dry run passed.',
        f'  {DRY_ITERATIONS} iterations, the second in {seconds:.2f} s; all {iterations} would take about '
        f'{_duration(seconds * iterations)} on {world_size()} process(es), without validation',
        f'  validation step: {"done" if validated else "none (no validation data in the config)"}',
        f'  checkpoint: {megabytes:.1f} MB; peak memory {peak_memory()} MiB; training panels: {panels}',
    ]
    return '\n'.join(lines)


def dry_config(cfg: Config, work_dir: str) -> Config:
    """The config cut down to two iterations and one validation batch in another work dir."""
    cfg = copy.deepcopy(cfg)
    cfg.work_dir, cfg.resume = work_dir, False
    cfg.train_cfg.max_iters = cfg.train_cfg.val_interval = DRY_ITERATIONS
    cfg.train_cfg.val_begin = 1
    hooks = cfg.setdefault('default_hooks', {})
    hooks['logger'] = {'interval': 1}
    options = hooks.get('checkpoint')
    hooks['checkpoint'] = {**(options if isinstance(options, Mapping) else {}), 'interval': DRY_ITERATIONS}
    if cfg.get('val_dataloader'):
        cfg.val_dataloader.num_batch_per_epoch = 1
    return cfg


def print_once(text: str) -> None:
    """Prints in the first process only."""
    if rank() == 0:
        print(text, flush=True)


def _duration(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f'{hours} h {rest // 60} min' if hours else f'{max(rest // 60, 1)} min'
