"""Painting Cityscapes' polygon files as label maps, pixel for pixel as cityscapesScripts does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from mmseg.datasets.label_tables import CITYSCAPES_NAMES, CITYSCAPES_TO_TRAIN
from mmseg.structures import IGNORE


def paint_train_ids(annotation: Mapping[str, Any]) -> np.ndarray:
    """Train ids (H, W) uint8 of a polygon annotation, later objects over earlier ones.

    Deleted objects and ids below 0 are not painted: a license plate shows the car below it. A name ending in ``group``
    that is no label of its own counts as the singular.

    Raises:
        ValueError: an object of an unknown label.
        KeyError: the annotation lacks one of its fields.
    """
    canvas = Image.new('L', (annotation['imgWidth'], annotation['imgHeight']), IGNORE)
    painter = ImageDraw.Draw(canvas)
    for item in annotation['objects']:
        if item.get('deleted'):
            continue
        label_id = label_id_of(item['label'])
        if label_id >= 0:
            corners = [tuple(corner) for corner in item['polygon']]
            painter.polygon(corners, fill=CITYSCAPES_TO_TRAIN.get(label_id, IGNORE))
    return np.asarray(canvas)


def label_id_of(name: str) -> int:
    """Label id of an object's name.

    Raises:
        ValueError: the name is unknown.
    """
    for candidate in (name, name.removesuffix('group')):
        if candidate in CITYSCAPES_NAMES:
            return CITYSCAPES_NAMES[candidate]
    raise ValueError(f'unknown label {name!r}')


def read_polygons(path: str) -> np.ndarray:
    """Train ids (H, W) uint8 of a ``*_polygons.json`` file.

    Raises:
        ValueError: the file is broken, or holds an unknown label.
    """
    try:
        return paint_train_ids(json.loads(Path(path).read_text(encoding='utf-8')))
    except ValueError as error:
        raise ValueError(f'polygon file {path} cannot be converted: {error}') from None
    except (KeyError, TypeError) as error:
        raise ValueError(
            f'polygon file {path} cannot be converted: field {error} is missing or of a wrong kind'
        ) from None
