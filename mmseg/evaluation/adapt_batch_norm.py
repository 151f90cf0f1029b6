"""Batch-norm statistics of the domain that is evaluated (AdaBN: Li et al., Pattern Recognition 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.config import Config
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import DataLoader, Dataset

from mmseg.evaluation.config_options import evaluated_configs
from mmseg.evaluation.progress import track

BATCH_SIZE = 8
LEFT_OUT = ('LoadAnnotations', 'TestTimeScales')


def target_images(cfg: Config, tested: Config) -> Dataset:
    """The images that a config adapts to, without labels, read as the test images are, at one scale.

    Args:
        cfg: its training data is a pair of domains, or one data set.
        tested: its test pipeline reads the images.

    Raises:
        ValueError: no training data in the config.
    """
    # The passes evaluate with the batch norms of this file.
    from mmseg.engine.dataset_pass import domain_dataset

    section = (cfg.get('train_dataloader') or {}).get('dataset')
    if not section:
        raise ValueError('--adapt-bn: the config has no train_dataloader whose images the statistics could be taken of')
    pipeline = [dict(step) for step in evaluated_configs(tested)[0]['pipeline'] if step['type'] not in LEFT_OUT]
    return domain_dataset(cfg, 'target' if 'target' in section else 'source', lambda _: pipeline)


def adapt_batch_norm(model: nn.Module, preprocessor: nn.Module, dataset: Dataset, workers: int = 0) -> int:
    """Replace the running statistics of all batch norms by the mean over a data set's batches.

    Each batch holds images from the whole length of the data set, as neighbours in a film hardly differ.

    Args:
        model: segmentor on the device; it is left in eval mode.
        preprocessor: normalises the images.
        dataset: test samples (``inputs``) of one size.
        workers: processes that read images.

    Returns:
        The number of images.

    Raises:
        ValueError: the network has no batch norm, or the images differ in size.
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
    if not norms:
        raise ValueError('--adapt-bn: the network has no batch norm with running statistics')
    model.eval()
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all batches
        norm.train()
    loader = DataLoader(
        dataset, batch_sampler=spread_batches(len(dataset), BATCH_SIZE), num_workers=workers, collate_fn=_images
    )
    with torch.inference_mode():
        for images in track(loader, len(loader), 'Adapting batch norm'):
            model.encode_decode(preprocessor({'inputs': images, 'data_samples': None}, False)['inputs'])
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.eval()
    return len(dataset)


def spread_batches(images: int, batch_size: int) -> list[list[int]]:
    """All images once, in batches of almost equal size (at most ``batch_size``) that each span the whole range."""
    batches = -(-images // batch_size)
    return [list(range(first, images, batches)) for first in range(batches)]


def _images(samples: list[Mapping[str, Any]]) -> list[torch.Tensor]:
    images = [sample['inputs'] for sample in samples]
    if len({tuple(image.shape) for image in images}) > 1:
        raise ValueError('--adapt-bn: the images differ in size: resize them in the test pipeline')
    return images
