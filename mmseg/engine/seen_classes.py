"""How often each class comes in training samples: what rare class sampling and crops make of the data set."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmseg.datasets.file_lookup import listed_files
from mmseg.datasets.rare_class_sampling import CLASS_STATS_FILE
from mmseg.engine.config import check_is_training
from mmseg.engine.errors import clear_config_errors
from mmseg.engine.loaders import build_loader, loaders_and_loops
from mmseg.evaluation.progress import track


@dataclass(frozen=True)
class SeenClasses:
    """Classes in the labelled images of some training samples.

    Attributes:
        classes: names.
        samples: number of images counted.
        pixels: (C,) per class, in all samples together.
        ignored: pixels without a class.
        images: (C,) samples that show the class.
        drawn: (C,) samples that rare class sampling drew for the class; None without it.
        dataset: (C,) shares of the data set's labelled pixels; None where its statistics file is missing.
    """

    classes: tuple[str, ...]
    samples: int
    pixels: np.ndarray
    ignored: int
    images: np.ndarray
    drawn: np.ndarray | None
    dataset: np.ndarray | None

    @property
    def shares(self) -> np.ndarray:
        """(C,) of the labelled pixels in the samples."""
        return self.pixels / max(self.pixels.sum(), 1)


def count_seen(cfg: Config, samples: int, start: int = 1) -> SeenClasses:
    """Counts the classes in training samples, drawn by the config's own loader with the training's seed.

    Args:
        cfg: of a training.
        samples: images to count; whole batches are taken apart.
        start: first iteration, counted from 1.

    Raises:
        FileNotFoundError: data are missing.
        ValueError: the config trains nothing, or its samples have no labels.
    """
    check_is_training(cfg)
    loader_config = loaders_and_loops(cfg)['train_dataloader']
    init_default_scope('mmseg')
    with clear_config_errors(cfg):
        # As the runner takes them: "persistent" workers would wait for a second epoch.
        loader: Any = build_loader({**loader_config, 'persistent_workers': False}, seed=cfg.get('seed', 0))
    loader.sampler.set_start((start - 1) * cfg.train_cfg.get('accumulate', 1) * loader.batch_size)
    dataset = getattr(loader.dataset, 'source', getattr(loader.dataset, 'dataset', loader.dataset))
    count = len(dataset.metainfo['classes'])
    pixels, images, drawn = np.zeros(256, np.int64), np.zeros(256, np.int64), np.zeros(count, np.int64)
    for label, meta in track(itertools.islice(_labels(loader), samples), samples, 'Samples'):
        here = np.bincount(label.flatten(), minlength=256)
        pixels += here
        images += here > 0
        if 'sampled_class' in meta:
            drawn[meta['sampled_class']] += 1
    return SeenClasses(
        classes=tuple(dataset.metainfo['classes']),
        samples=samples,
        pixels=pixels[:count],
        ignored=int(pixels[count:].sum()),
        images=images[:count],
        drawn=drawn if drawn.any() else None,
        dataset=dataset_shares(dataset),
    )


def dataset_shares(dataset: Any) -> np.ndarray | None:
    """(C,) each class's share of the labelled pixels, from the data set's statistics file; None if there is none.

    Pixels of several data sets in one are added up.
    """
    counted = [_dataset_pixels(part) for part in dataset.parts]
    pixels = np.sum([part for part in counted if part is not None], axis=0)
    return pixels / pixels.sum() if all(part is not None for part in counted) and pixels.any() else None


def _dataset_pixels(dataset: Any) -> np.ndarray | None:
    path = Path(dataset.data_root) / CLASS_STATS_FILE
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return None
    files = (stats['file'] for stats in content)
    own = listed_files(files, dataset.label_names, dataset.seg_map_dir, str(path))
    pixels = np.zeros(len(dataset.metainfo['classes']))
    for stats in content:
        if stats['file'] not in own:
            continue
        counts = stats if dataset.label_map is None else dataset.label_map.merge_counts(stats)
        for key, value in counts.items():
            if key != 'file' and 0 <= int(key) < len(pixels):
                pixels[int(key)] += value
    return pixels


def seen_table(seen: SeenClasses) -> Any:
    """One line per class, as a table of rich; rarest in the data set last."""
    from rich.table import Table

    table = Table('class', 'pixels %', 'of the data set %', 'times', 'images %', 'drawn for it %')
    for column in table.columns[1:]:
        column.justify = 'right'
    shares = seen.shares
    order = np.argsort(-(shares if seen.dataset is None else seen.dataset), kind='stable')
    for number in order:
        usual = None if seen.dataset is None else seen.dataset[number]
        table.add_row(
            seen.classes[number],
            _percent(shares[number]),
            '-' if usual is None else _percent(usual),
            f'{shares[number] / usual:.1f}' if usual else '-',
            f'{100 * seen.images[number] / seen.samples:.0f}',
            '-' if seen.drawn is None else f'{100 * seen.drawn[number] / seen.samples:.1f}',
        )
    return table


def _labels(loader: Any) -> Any:
    """Label map (H, W) and file facts of each labelled image."""
    for batch in loader:
        batch = batch.get('source', batch)
        if 'label' not in batch:
            raise ValueError('the training images have no labels: add LoadAnnotations to their pipeline')
        yield from zip(torch.as_tensor(batch['label']).numpy(), batch['meta'], strict=True)


def _percent(share: float) -> str:
    return f'{100 * share:.3f}' if share < 0.001 else f'{100 * share:.2f}'
