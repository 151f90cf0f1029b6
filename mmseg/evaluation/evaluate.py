"""Evaluation of a checkpoint on the data of a config."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from mmseg.datasets.collate import collate_samples
from mmseg.datasets.parallel import start_worker
from mmseg.engine.device import usable_device
from mmseg.engine.errors import clear_config_errors
from mmseg.engine.gradient_sync import rank, world_size
from mmseg.engine.legacy_checkpoint import load_student
from mmseg.engine.precision import Precision
from mmseg.engine.run_checks import check_class_order
from mmseg.evaluation.adapt_batch_norm import adapt_batch_norm
from mmseg.evaluation.config_options import loader_section
from mmseg.evaluation.iou_metric import IoUMetric
from mmseg.evaluation.progress import track
from mmseg.registry import DATASETS, METRICS, MODELS


@dataclass(frozen=True)
class Evaluation:
    """Outcome of an evaluation.

    Attributes:
        scores: of the metric, in percent; empty if only files were written.
        images: in the data set.
        seconds: of the whole loop.
        meta: of the checkpoint.
        classes: names in the order of train ids.
        confusion: (C, C) int64 pixel counts, true classes in rows; None if nothing was scored.
        confusions: of several data sets each one's own, by name.
    """

    scores: dict[str, float]
    images: int
    seconds: float
    meta: dict[str, Any]
    classes: tuple[str, ...] = ()
    confusion: Tensor | None = None
    confusions: dict[str, Tensor] = field(default_factory=dict)


def evaluate(
    cfg: Config,
    checkpoint: str | Path,
    metric_options: Mapping[str, Any] | None = None,
    *,
    ema: bool = False,
    trust: bool = False,
    device: str | torch.device = 'cpu',
    precision: str = 'fp32',
    adapt_bn: Dataset | None = None,
) -> Evaluation:
    """Predict every image of the config's test data and score it; in several processes, each its share.

    Args:
        cfg: of a run; its ``model``, ``test_dataloader`` and ``test_evaluator`` are used.
        checkpoint: of any layout; its student is evaluated.
        metric_options: override those of the evaluator.
        ema: evaluate the teacher instead.
        trust: read checkpoints that need pickle.
        device: to compute on.
        precision: number format, see ``Precision``.
        adapt_bn: images that the batch-norm statistics are taken of first, see ``adapt_batch_norm``.

    Raises:
        FileNotFoundError: data or checkpoint are missing.
        ValueError: the parts do not fit each other, or there is no such device.
    """
    device = usable_device(device)
    with clear_config_errors(cfg):
        dataset = DATASETS.build(_plain(loader_section(cfg)['dataset']))
        metric = build_metric(cfg, dataset, metric_options or {})
        preprocessor, model = build_networks(cfg)
    classes = dataset.metainfo['classes']
    if model.num_classes != len(classes):
        raise ValueError(f'the network has {model.num_classes} classes, the data set {len(classes)}')
    meta = load_student(model, checkpoint, ema=ema, trust=trust)
    check_class_order(classes, meta.get('classes') or (), 'the test data', str(checkpoint))
    model.to(device).eval()
    if cfg.get('channels_last'):
        model.to(memory_format=torch.channels_last)
    preprocessor.to(device)
    number_format = Precision(precision)
    number_format.apply_global_flags()
    if adapt_bn is not None:
        workers = loader_section(cfg).get('num_workers', 0)
        with number_format.autocast(device):
            images = adapt_batch_norm(model, preprocessor, adapt_bn, workers)
        print_log(f'Batch norm adapted on {images} images without labels', logger='current')

    iteration = f' of iteration {meta["iter"]}' if 'iter' in meta else ''
    print_log(f'{"Teacher" if ema else "Student"}{iteration}: {checkpoint}; {len(dataset)} images', logger='current')
    loader = build_loader(dataset, loader_section(cfg))
    start = time.monotonic()
    with number_format.autocast(device):
        predict_all(model, preprocessor, track(loader, len(loader), 'Evaluating', silent=rank() != 0), metric)
    scores = metric.evaluate(len(dataset))
    seconds = time.monotonic() - start
    # Another metric than ours may be registered under the config's evaluator.
    confusion, confusions = getattr(metric, 'confusion', None), getattr(metric, 'confusions', {})
    return Evaluation(scores, len(dataset), seconds, meta, tuple(classes), confusion, confusions)


def build_networks(cfg: Config) -> tuple[nn.Module, nn.Module]:
    """Data preprocessor and bare segmentor of a config; no ImageNet weights are looked for.

    Raises:
        ValueError: the model has no data preprocessor.
    """
    model = _plain(cfg.model)
    if 'data_preprocessor' not in model:
        raise ValueError('config key model has no data_preprocessor: how images are normalised is not known')
    preprocessor = MODELS.build(model.pop('data_preprocessor'))
    model['pretrained'] = None
    model['backbone']['pretrained'] = None
    return preprocessor, MODELS.build(model)


def build_metric(cfg: Config, dataset: Dataset, options: Mapping[str, Any]) -> IoUMetric:
    """The config's metric with some options changed; pictures keep the data set's sub-folders."""
    section = cfg.get('test_evaluator') or cfg.get('val_evaluator') or {'type': 'IoUMetric'}
    roots: Any = {part.name: part.img_dir for part in getattr(dataset, 'parts', ())}
    if len(roots) < 2:
        roots = getattr(dataset, 'img_dir', None)
    metric = METRICS.build({**_plain(section), 'image_root': roots, **options})
    metric.dataset_meta = dataset.metainfo
    return metric


def predict_all(model: nn.Module, preprocessor: nn.Module, batches: Iterable[dict[str, Any]], metric: Any) -> None:
    """Predict batches and hand them to the metric; nothing here waits for the device.

    Files of the predictions so far are complete when this ends, also by an error or Ctrl-C.
    """
    try:
        with torch.inference_mode():
            for data in batches:
                batch = preprocessor(data, False)
                metric.process(data, model.predict(batch['inputs'], batch['data_samples']))
    finally:
        if hasattr(metric, 'close'):
            metric.close()


def build_loader(dataset: Dataset, section: Mapping[str, Any]) -> DataLoader:
    """A loader of every image once, this process's share; with workers that keep to one core each.

    Args:
        dataset: of test samples.
        section: ``batch_size``, ``num_workers`` and ``prefetch_factor`` of a config's loader.
    """
    workers = section.get('num_workers', 0)
    return DataLoader(
        dataset,
        batch_size=section.get('batch_size', 1),
        # Every image once: nothing is repeated to give all processes equally many.
        sampler=range(rank(), len(dataset), world_size()),
        num_workers=workers,
        prefetch_factor=section.get('prefetch_factor') if workers else None,
        collate_fn=collate_samples,
        pin_memory=torch.cuda.is_available(),
        worker_init_fn=start_worker,
    )


def _plain(section: Any) -> dict[str, Any]:
    """A copy as plain dicts that builders may change."""
    return Config({'section': section}).to_dict()['section']
