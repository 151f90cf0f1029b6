"""Training and testing runs through the commands, once: what the benchmarks of methods share."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run_scores(
    config: str, folder: Path, seed: int, cfg_options: Sequence[str] = (), adapt_bn: str | None = None
) -> dict[str, float]:
    """Train and test a run, or read what is there.

    Args:
        config: path below the repository's root.
        folder: of the run, likewise; an interrupted run goes on.
        seed: of the run.
        cfg_options: ``key=value`` for the training.
        adapt_bn: config whose target images the batch-norm statistics are taken of before testing.

    Returns:
        Scores in percent of the student at the last iterate.
    """
    result = folder / ('eval_latest_adapt_bn.json' if adapt_bn else 'eval_latest.json')
    if not (ROOT / result).is_file():
        changes = ['--cfg-options', *cfg_options] if cfg_options else []
        train = ['tools.train', config, '--work-dir', str(folder), '--seed', str(seed), '--resume', '--no-validate']
        test = ['tools.test', config, str(folder / 'latest.pth'), '--eval', 'mIoU', '--work-dir', str(folder)]
        test += ['--adapt-bn', adapt_bn] if adapt_bn else []
        for command in (train + changes, test):
            subprocess.run([sys.executable, '-m', *command], cwd=ROOT, check=True, stdout=sys.stderr)
    return json.loads((ROOT / result).read_text())['scores']


def machine() -> str:
    """What the numbers were made on."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.processor() or platform.machine()
    return f'torch {torch.__version__}, {device}, {torch.get_num_threads()} threads'
