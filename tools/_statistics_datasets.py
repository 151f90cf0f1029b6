"""Which datasets the command line of dataset_statistics.py names."""

from __future__ import annotations

import argparse
import os
from typing import Any

# Options that describe a single dataset.
ONE_DATASET = ('data_root', 'classes', 'images', 'labels', 'img_suffix', 'label_suffix', 'ignore_index', 'out_dir')


def dataset_configs(options: argparse.Namespace) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Configs of the datasets that the command line names, and the ``rare_class_sampling`` that belongs to them.

    Raises:
        ValueError: the config has no such dataset, or several where one is to be changed.
    """
    if not options.config:
        return [changed_config({'type': options.dataset or 'BaseSegDataset'}, options)], sampling_of({}, options)
    configs, sampling = training_datasets(options)
    if len(configs) == 1:
        return [changed_config(configs[0], options)], sampling_of(sampling, options)
    given = [name for name in ONE_DATASET if getattr(options, name) is not None]
    if given:
        what = 'DATA_ROOT' if given[0] == 'data_root' else f'--{given[0].replace("_", "-")}'
        raise ValueError(f'config {options.config} trains on {len(configs)} datasets together: leave out {what}')
    return configs, sampling_of(sampling, options)


def sampling_of(sampling: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """``rare_class_sampling`` with what the command line says."""
    return sampling if options.min_pixels is None else {**sampling, 'min_pixels': options.min_pixels}


def changed_config(config: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """A dataset's config with what the command line says."""
    if options.data_root:
        config['data_root'] = options.data_root
    prefix = dict(config.get('data_prefix') or {})
    for key, given, usual in (('img_path', options.images, 'images'), ('seg_map_path', options.labels, 'labels')):
        if given is not None:
            prefix[key] = given
        elif key not in prefix and not options.config and (not options.dataset or _has(options.data_root, usual)):
            prefix[key] = usual
    if prefix:
        config['data_prefix'] = prefix
    if options.classes:
        config['metainfo'] = {'classes': class_names(options.classes)}
    if options.img_suffix:
        config['img_suffix'] = options.img_suffix.split(',')
    if options.label_suffix:
        config['seg_map_suffix'] = options.label_suffix
    if options.ignore_index is not None:
        config['ignore_index'] = options.ignore_index
    return config


def _has(data_root: str | None, folder: str) -> bool:
    return data_root is not None and os.path.isdir(os.path.join(data_root, folder))


def training_datasets(options: argparse.Namespace) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The training datasets of a config, of a pair one domain, and its ``rare_class_sampling``.

    Raises:
        ValueError: there is none, or it is no folder of images.
    """
    from mmseg.engine.config import load_config
    from mmseg.evaluation.config_options import single_configs

    cfg = load_config(options.config, options.cfg_options).to_dict()
    config = (cfg.get('train_dataloader') or {}).get('dataset')
    if not config:
        raise ValueError(f'config {options.config} has no train_dataloader.dataset')
    pair = config if isinstance(config, dict) else {}
    if 'source' not in pair and options.domain == 'target':
        raise ValueError(f'config {options.config} trains on one dataset, not on two domains: leave out --domain')
    sampling = (pair.get('rare_class_sampling') or {}) if options.domain == 'source' else {}
    configs = single_configs(pair.get(options.domain, config))
    if wrapper := next((config for config in configs if 'dataset' in config), None):
        raise ValueError(
            f'config {options.config}: {wrapper.get("type")} is made of another dataset; name it with DATA_ROOT '
            'and --dataset or --classes'
        )
    return configs, sampling


def class_names(text: str) -> tuple[str, ...]:
    """``road,car,sky`` or a number of classes without names.

    Raises:
        ValueError: no classes, or one twice.
    """
    names = tuple(f'class {i}' for i in range(int(text))) if text.isdigit() else tuple(map(str.strip, text.split(',')))
    if not all(names) or not names or len(set(names)) < len(names):
        raise ValueError(f'--classes {text}: expected different names with commas between them, or how many there are')
    return names


def label_loader(config: dict[str, Any]) -> Any:
    """``LoadAnnotations`` as the dataset's pipeline has it, else None."""
    from mmseg.datasets.transforms import LoadAnnotations
    from mmseg.registry import TRANSFORMS

    for step in config.get('pipeline') or ():
        kind = TRANSFORMS.get(step['type'])
        if isinstance(kind, type) and issubclass(kind, LoadAnnotations):
            return TRANSFORMS.build(step)
    return None
