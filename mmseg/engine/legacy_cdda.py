"""CDDA's flat settings in configs of the original code, as ours."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from mmseg.engine.legacy_section import Section, merge
from mmseg.evaluation.config_options import single_configs

PATHS = {'counts': 'matrix_path', 'images': 'croped_images_path', 'labels': 'croped_labels_path'}
THRESHOLDS = ('reweight_threshold', 'relabel_threshold', 'threshold_decay')
FLAT_KEYS = ('dataset', *PATHS.values(), *THRESHOLDS)
# Terrain, truck and train: SYNTHIA has none of them.
IGNORE_CLASSES = {'gta': [], 'synthia': [9, 14, 16]}
DEPTH_FOLDER = 'depth_any'


def move_depth_guidance(old: Section, new: dict[str, Any]) -> None:
    """The bank's paths, the thresholds and the source's name into ``depth_guidance``.

    Raises:
        ValueError: for a source that the original does not know.
    """
    values = {ours: old.take(theirs) for ours, theirs in PATHS.items() if theirs in old}
    values |= {key: old.take(key) for key in THRESHOLDS if key in old}
    if 'dataset' in old:
        name = old.left['dataset']
        old.expect('dataset', *IGNORE_CLASSES)
        values['ignore_classes'] = IGNORE_CLASSES[name]
    if values:
        new['depth_guidance'] = merge(new.get('depth_guidance') or {}, values)


def depth_prefix(section: Section) -> dict[str, str]:
    """``dep_dir`` of a dataset, until :func:`with_depth` knows which ``data_root`` it belongs to."""
    folder = section.take('dep_dir')
    return {} if folder is None else {'dep_dir': folder}


def with_depth(config: Mapping[str, Any]) -> dict[str, Any]:
    """A whole config with folders of depth maps below ``data_root``, which the original does not join them with.

    If the method needs depth, the target loads it: the original always does.
    """
    config = dict(config)
    dataset = (config.get('train_dataloader') or {}).get('dataset') or {}
    for domain in ('source', 'target'):
        for single in single_configs(dataset[domain]) if dataset.get(domain) else ():
            prefix = single.get('data_prefix') or {}
            if 'dep_dir' in prefix:
                prefix['depth_path'] = _below(prefix.pop('dep_dir'), single.get('data_root', ''))
    if (config.get('uda') or {}).get('depth_guidance') and dataset.get('target'):
        for target in single_configs(dataset['target']):
            _load_depth(target)
    return config


def _below(folder: str, data_root: str) -> str:
    return folder if os.path.isabs(folder) or not data_root else os.path.relpath(folder, data_root)


def _load_depth(target: dict[str, Any]) -> None:
    names = [step['type'] for step in target.get('pipeline') or []]
    if names and 'LoadDepth' not in names:
        place = names.index('LoadImageFromFile') + 1
        target['pipeline'] = [*target['pipeline'][:place], {'type': 'LoadDepth'}, *target['pipeline'][place:]]
    prefix = target.setdefault('data_prefix', {})
    below = prefix.get('img_path', '').split('/')[1:]
    prefix.setdefault('depth_path', '/'.join([DEPTH_FOLDER, *below]))
