"""Telling the encoder of a trained segmentation network from ImageNet weights: it may have seen the target's labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

# Entry of ``meta`` in the files of tools/get_pretrained.py, which hold the encoder alone.
NOTE = 'segmentation'
_HEAD = re.compile(r'(^|\.)(decode_head|auxiliary_head|segmentation_head|aux_classifier)\.')
_DATASET = re.compile(r'[\'"](\w+Dataset)[\'"]')
_WRAPPERS = {'UDADataset', 'RepeatDataset', 'ConcatDataset', 'ClassBalancedDataset'}
SHOWN_CLASSES = 3


def segmentation_note(keys: Iterable[str], meta: Mapping[str, Any]) -> str | None:
    """The segmentation network that a file holds, with a key of its head and what its ``meta`` says of the data.

    Returns:
        One line; None if there is no such network.
    """
    kept = meta.get(NOTE)
    if isinstance(kept, str):
        return ' '.join(kept.split())
    head = next((key for key in keys if _HEAD.search(key)), None)
    if head is None:
        return None
    return f'the encoder of a segmentation network ({"; ".join([head, *_datasets(meta), *_classes(meta)])})'


def _datasets(meta: Mapping[str, Any]) -> list[str]:
    """Those of the stored config: its text is under ``config`` in mmcv's files and under ``cfg`` in mmengine's."""
    found = [name for key in ('config', 'cfg') for name in _DATASET.findall(str(meta.get(key, '')))]
    names = [name for name in dict.fromkeys(found) if name not in _WRAPPERS]
    return [f'trained with {", ".join(names)}'] if names else []


def _classes(meta: Mapping[str, Any]) -> list[str]:
    data = meta.get('dataset_meta')
    names = meta.get('CLASSES') or (data.get('classes') if isinstance(data, Mapping) else None)
    if not isinstance(names, (list, tuple)) or not names:
        return []
    shown = ', '.join(map(str, names[:SHOWN_CLASSES])) + (', ...' if len(names) > SHOWN_CLASSES else '')
    return [f'{len(names)} classes: {shown}']
