"""What a bank of source crops is made from: the training's source data, with depth maps."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmseg.datasets import UDADataset
from mmseg.datasets.metainfo import dataset_metainfo
from mmseg.engine.depth_bank_crops import mean_colour
from mmseg.engine.errors import clear_config_errors
from mmseg.evaluation.config_options import single_configs
from mmseg.registry import DATASETS

DEPTH_FOLDER = 'depth_any'


@dataclass(frozen=True)
class Bank:
    """What is to be made.

    Attributes:
        folder: of the bank.
        name: of the source data set, first part of the counts' file name.
        num: N crops.
        pairs: the data that crops are drawn from; None = only count crops that are there.
        classes: names of the classes.
        padding: BGR colour beyond an image's content.
        settings: all that decides what crop k shows; empty if crops are only counted.
    """

    folder: Path
    name: str
    num: int
    pairs: UDADataset | None
    classes: tuple[str, ...]
    padding: tuple[int, ...] = (0, 0, 0)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def counts_file(self) -> Path:
        return self.folder / f'{self.name}_{self.num}_distribution.pth'


def source_pairs(cfg: Config, seed: int, sampling: str = 'training') -> tuple[UDADataset, dict[str, Any]]:
    """The training's pairs, whose source loads depth maps; and what decides which crops come.

    Args:
        cfg: of a training with a source and a target.
        seed: of the draws.
        sampling: ``training`` draws source images as the training does; ``each_image`` takes every image once.

    Raises:
        FileNotFoundError: data, label maps, depth maps or statistics are missing.
        ValueError: the config has no source and target.
    """
    loader = cfg.get('train_dataloader') or {}
    config = Config({'dataset': copy.deepcopy(loader.get('dataset') or {})}).to_dict()['dataset']
    if 'source' not in config or 'target' not in config:
        raise ValueError(f'{cfg.filename}: a bank needs a training with source and target (UDADataset)')
    if sampling == 'each_image':
        config = {key: value for key, value in config.items() if not key.endswith('_sampling')}
        config['source_order'] = 'shuffled'
    for single in [*single_configs(config['source']), *single_configs(config['target'])]:
        single.pop('packed', None)  # the same samples, but without the source's depth
    for source in single_configs(config['source']):
        source['pipeline'] = with_depth(source['pipeline'])
        source['data_prefix'] = {'depth_path': DEPTH_FOLDER, **(source.get('data_prefix') or {})}
    for target in single_configs(config['target']):
        target['pipeline'] = [step for step in target['pipeline'] if step['type'] != 'LoadDepth']
    with clear_config_errors({'train_dataloader': {'dataset': config}}):
        pairs = DATASETS.build(config)
    pairs.set_seed(seed)
    # Drawing the target image comes first: their number decides what is drawn next.
    config.pop('pseudo_margins', None)
    settings = {'seed': seed, **config, 'target': len(pairs.target)}
    return pairs, json.loads(json.dumps(settings, default=str))


def with_depth(pipeline: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps of a pipeline, and ``LoadDepth`` after those that load."""
    if any(step['type'] == 'LoadDepth' for step in pipeline):
        return pipeline
    place = max((i + 1 for i, step in enumerate(pipeline) if step['type'].startswith('Load')), default=0)
    return [*pipeline[:place], {'type': 'LoadDepth'}, *pipeline[place:]]


def training_bank(
    cfg: Config, folder: Path, name: str, num: int | None, seed: int, sampling: str, kind: str | None = None
) -> Bank:
    """The bank of a training.

    Args:
        cfg: of the training.
        folder: of the bank.
        name: of the source data.
        num: of crops; None = as many as the source has images.
        seed: of the draws.
        sampling: see :func:`source_pairs`.
        kind: class that the source must have, if its name says so.

    Raises:
        ValueError: the source is of another class.
    """
    pairs, settings = source_pairs(cfg, seed, sampling)
    for part in pairs.source.parts:
        if kind is not None and type(part).__name__ != kind:
            raise ValueError(
                f'the source of {cfg.filename} is {type(part).__name__}, not {name} ({kind}): another --dataset_name?'
            )
    padding = mean_colour(cfg.model.get('data_preprocessor') or {})
    num = len(pairs.source) if num is None else num
    return Bank(folder, name, num, pairs, tuple(pairs.metainfo['classes']), padding, settings)


def existing_bank(cfg: Config, folder: Path, name: str, num: int | None) -> Bank:
    """A bank whose crops are there and only counted; the config says the classes.

    Raises:
        FileNotFoundError: the folder has no crops.
    """
    labels = folder / 'labels'
    there = len(list(labels.glob('*.png')))
    if not there:
        raise FileNotFoundError(f'{labels}: no crops to count; run without --not_get_images to make them')
    classes = dataset_metainfo(cfg.train_dataloader.dataset)['classes']
    return Bank(folder, name, there if num is None else num, None, tuple(classes))
