"""A trained network over all images of a dataset, for stages that stand between trainings."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger, print_log
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmseg.engine.device import usable_device
from mmseg.engine.distributed import start_process_group
from mmseg.engine.errors import clear_config_errors
from mmseg.engine.gradient_sync import gather_objects, rank, world_size
from mmseg.engine.legacy_checkpoint import load_student
from mmseg.engine.precision import Precision
from mmseg.evaluation.config_options import single_configs
from mmseg.evaluation.evaluate import build_networks
from mmseg.evaluation.progress import track
from mmseg.registry import DATASETS

SHOWN = 5


class SkipBroken(Dataset):
    """A dataset whose unreadable files become their error message, so that they do not end a pass of hours."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> dict[str, Any] | str:
        try:
            return self.dataset[index]
        except (ValueError, OSError) as error:
            return str(error)


def prepare_process(device: str | None, precision: str) -> tuple[str, AbstractContextManager]:
    """Start the process group of torchrun, if any; the device, and the number format of the passes.

    Raises:
        ValueError: no such device, or fewer GPUs than processes.
    """
    start_process_group(device)
    if not MMLogger.check_instance_created('passes'):
        MMLogger.get_instance('passes', logger_name='mmseg')
    chosen = str(usable_device(device))
    number_format = Precision(precision)
    number_format.apply_global_flags()
    return chosen, number_format.autocast(chosen)


def load_networks(
    cfg: Config, checkpoint: str, device: str, ema: bool = False, trust: bool = False
) -> tuple[nn.Module, Any]:
    """Data preprocessor and segmentor in eval mode, with a checkpoint's weights.

    Raises:
        FileNotFoundError: no such checkpoint.
        ValueError: it does not fit the config.
    """
    with clear_config_errors(cfg):
        preprocessor, model = build_networks(cfg)
    load_student(model, checkpoint, ema=ema, trust=trust)
    return preprocessor.to(device), model.to(device).eval()


def domain_dataset(cfg: Config, domain: str, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Any:
    """The source or target dataset that a config trains with, in its files' order, with a changed pipeline.

    Several sources, or targets, are one dataset.

    Args:
        cfg: of a training.
        domain: ``source``, the only one without adaptation, or ``target``.
        change: of the pipeline's steps, of each dataset's own.

    Raises:
        ValueError: the config has no such dataset.
    """
    loader = cfg.get('train_dataloader') or {}
    dataset = copy.deepcopy(loader.get('dataset'))
    if dataset is None:
        raise ValueError('the config has no train_dataloader')
    dataset = Config({'dataset': dataset}).to_dict()['dataset']
    if domain in dataset:
        dataset = dataset[domain]
    elif domain == 'target':
        raise ValueError('the config trains without a target domain: train_dataloader.dataset is no UDADataset')
    if isinstance(dataset, Mapping) and dataset.get('type') == 'ClassBalancedDataset':
        dataset = dataset['dataset']
    for single in single_configs(dataset):
        single['pipeline'] = change(list(single['pipeline']))
        single['test_mode'] = True
        single.pop('packed', None)  # a packed copy is one of the training's pipeline
    with clear_config_errors({'dataset': dataset}):
        return DATASETS.build(dataset)


def run_over(
    dataset: Dataset,
    batch: Callable[[Mapping[str, Any]], None],
    what: str,
    workers: int = 2,
    without: Callable[[], None] | None = None,
) -> list[str]:
    """Hand each sample to ``batch``, in several processes each its share.

    Args:
        dataset: in the order of its files.
        batch: what is done with a sample.
        what: title of the progress.
        workers: processes that read files.
        without: called where there is no sample, because a file cannot be read or another process has one file more,
            so that all processes make as many calls; for a ``batch`` that exchanges something between them.

    Returns:
        What was wrong with files that could not be read, of all processes; each is also logged, some by name.

    Raises:
        ValueError: no file could be read, or a negative number of workers.
    """
    if workers < 0:
        raise ValueError(f'--workers {workers}: expected 0 or more')
    broken: list[str] = []
    for sample in track(_samples(dataset, workers), _share(dataset), what, silent=rank() != 0):
        if isinstance(sample, str):
            broken.append(sample)
            if without is not None:
                without()
        else:
            with torch.inference_mode():
                batch(sample)
    if without is not None and rank() >= len(dataset) % world_size() > 0:  # type: ignore[arg-type]
        without()
    everything = gather_objects(broken)
    # A dataset may hand out its files several times.
    if named := list(dict.fromkeys(everything)):
        shown = '; '.join(named[:SHOWN]) + ('; ...' if len(named) > SHOWN else '')
        print_log(f'{len(named)} files are left out: {shown}', 'current', logging.WARNING)
    if len(everything) >= len(dataset):  # type: ignore[arg-type]
        raise ValueError(f'no file could be read, e.g. {everything[0]}')
    return everything


def _share(dataset: Dataset) -> int:
    return len(range(rank(), len(dataset), world_size()))  # type: ignore[arg-type]


def _samples(dataset: Dataset, workers: int) -> Iterator[Any]:
    order = range(rank(), len(dataset), world_size())  # type: ignore[arg-type]
    loader = DataLoader(
        SkipBroken(dataset),
        batch_size=None,
        sampler=order,
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
    )
    return iter(loader)
