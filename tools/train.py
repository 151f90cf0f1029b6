"""Train what a config describes: ``python tools/train.py CONFIG`` or ``python -m tools.train CONFIG``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._entry import run_tool  # noqa: E402


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(description='Train what a config describes.')
    parser.add_argument('config', help='config file, with or without .py')
    parser.add_argument('--work-dir', help='where logs and checkpoints go; default work_dirs/CONFIG')
    parser.add_argument(
        '--resume', nargs='?', const=True, default=None, metavar='PATH',
        help='continue from a checkpoint or a work dir; without PATH from the latest one of this work dir, if any',
    )  # fmt: skip
    parser.add_argument('--load-from', metavar='PATH', help='start from the network in a checkpoint')
    parser.add_argument('--trust-checkpoint', action='store_true', help='unpickle checkpoints that need it (runs code)')
    parser.add_argument('--seed', type=int, help='seed of everything random')
    parser.add_argument('--deterministic', action='store_true', help='repeatable GPU kernels, slower')
    parser.add_argument(
        '--precision', choices=('auto', 'fp32', 'tf32', 'bf16', 'fp16'),
        help='number format of the passes; auto: bf16 on GPUs that compute in it, else fp32',
    )  # fmt: skip
    parser.add_argument('--compile', action='store_true', help='compile the networks; slow first step, then faster')
    parser.add_argument('--cuda-graphs', action='store_true', help='--compile, with one launch per pass; GPUs only')
    parser.add_argument('--accumulate', type=int, metavar='N', help='micro-batches per iteration')
    parser.add_argument('--no-validate', action='store_true', help='do not validate during training')
    parser.add_argument('--dry-run', action='store_true', help='two iterations, a validation step and a checkpoint')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE',
        help='config values by dotted key, e.g. train_cfg.max_iters=100',
    )  # fmt: skip
    return parser.parse_args(arguments)


def apply_arguments(cfg: Any, arguments: argparse.Namespace) -> Any:
    """The config with the command line's options in it."""
    for name in ('work_dir', 'resume', 'load_from', 'seed', 'precision'):
        value = getattr(arguments, name)
        if value is not None:
            cfg[name] = value
    if arguments.resume is not None and arguments.load_from is not None:
        raise ValueError('--resume continues a run and --load-from starts a new one: give one of them')
    if arguments.deterministic:
        cfg.deterministic = True
    if arguments.trust_checkpoint:
        cfg.trust_checkpoint = True
    if arguments.compile:
        cfg['compile'] = cfg.get('compile') or True
    if arguments.cuda_graphs:
        from mmseg.engine.compilation import CUDA_GRAPHS

        cfg['compile'] = dict(CUDA_GRAPHS)
    if arguments.accumulate is not None:
        cfg.train_cfg.accumulate = arguments.accumulate
    if arguments.no_validate:
        cfg.val_dataloader = cfg.val_evaluator = cfg.val_cfg = None
    return cfg


def main() -> None:
    arguments = parse_arguments()
    from mmseg.engine.config import load_config
    from mmseg.engine.training import train

    cfg = apply_arguments(load_config(arguments.config, arguments.cfg_options), arguments)
    if not train(cfg, dry_run=arguments.dry_run):
        sys.exit(130)


if __name__ == '__main__':
    run_tool(main)
