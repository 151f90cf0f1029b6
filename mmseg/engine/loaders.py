"""A run's data loaders and loops, from what a config says to what mmengine wants to hear."""

from __future__ import annotations

import copy
import logging
from typing import Any

import mmengine.runner
import torch
from mmengine.config import Config
from mmengine.logging import print_log
from torch.utils.data import DataLoader

from mmseg.datasets.parallel import start_worker
from mmseg.engine.errors import wrong_argument_of
from mmseg.registry import DATASETS

LEAST = {'batch_size': 1, 'num_workers': 0}


def build_loader(
    dataloader: DataLoader | dict[str, Any], seed: int | None = None, diff_rank_seed: bool = False
) -> DataLoader:
    """As mmengine's; page-locked memory where there is a GPU, workers that leave Ctrl-C to the main process.

    Args:
        dataloader: its config, not changed; a loader is handed back as it is.
        seed: of the sampler and the data set.
        diff_rank_seed: another one for each process.

    Raises:
        ValueError: a batch size or number of workers that is none.
    """
    if isinstance(dataloader, DataLoader):
        return dataloader
    cfg = copy.deepcopy(dataloader)
    for key, least in LEAST.items():
        if not isinstance(cfg.get(key, 1), int) or cfg.get(key, 1) < least:
            raise ValueError(f'{key}={cfg[key]} of a data loader: expected a whole number of at least {least}')
    # mmengine takes a list of datasets for one that is built already.
    cfg['dataset'] = DATASETS.build(cfg['dataset']) if isinstance(cfg['dataset'], (list, tuple)) else cfg['dataset']
    if not cfg.get('num_workers'):
        # num_workers=0 is for debugging; PyTorch refuses options about workers then.
        cfg = {key: value for key, value in cfg.items() if key not in ('persistent_workers', 'prefetch_factor')}
    cfg.setdefault('pin_memory', torch.cuda.is_available())
    cfg.setdefault('worker_init_fn', {'type': start_worker})
    with wrong_argument_of('a data loader'):
        loader = mmengine.runner.Runner.build_dataloader(cfg, seed=seed, diff_rank_seed=diff_rank_seed)
    if hasattr(loader.dataset, 'set_seed'):
        loader.dataset.set_seed(seed)
    return loader


def loaders_and_loops(cfg: Config) -> dict[str, Any]:
    """The config's loaders, loops and evaluators, with what goes without saying filled in."""
    parts = {key: copy.deepcopy(cfg.get(key)) for key in ('train_dataloader', 'train_cfg', 'optim_wrapper')}
    if parts['train_dataloader'] is None or parts['optim_wrapper'] is None:
        parts = dict.fromkeys(parts)
    else:
        parts['param_scheduler'] = copy.deepcopy(cfg.get('param_scheduler'))
        parts['train_dataloader'].setdefault('sampler', {'type': 'SampleNumberSampler'})
        parts['train_dataloader'].setdefault('collate_fn', {'type': 'collate_domains'})
    for mode in ('val', 'test'):
        loader, evaluator = copy.deepcopy(cfg.get(f'{mode}_dataloader')), copy.deepcopy(cfg.get(f'{mode}_evaluator'))
        if loader is not None and evaluator is None:
            print_log(f'{mode}_dataloader without {mode}_evaluator: nothing is scored', 'current', logging.WARNING)
        if loader is None or evaluator is None:
            continue
        loader.setdefault('batch_size', 1)
        # mmengine's own would take the scales of an image for images.
        loader.setdefault('collate_fn', {'type': 'collate_samples'})
        sampler = loader.setdefault('sampler', {'type': 'DefaultSampler', 'shuffle': False})
        if sampler.get('type') == 'DefaultSampler':
            # Filling up to equal shares would count some images twice.
            sampler.setdefault('round_up', False)
        options = copy.deepcopy(cfg.get(f'{mode}_cfg')) or {}
        parts |= {f'{mode}_dataloader': loader, f'{mode}_evaluator': evaluator, f'{mode}_cfg': options}
    return parts
