"""Mapillary Vistas v1.2's classes as Cityscapes' 19, by the rules of DDB's code (Chen et al., NeurIPS 2022).

The rules go by words in the names, which are those of v1.2: on the names of v2.0 they go wrong ("Traffic Light -
Cyclists" would be a rider). Another table, by ids, is ``label_tables.MAPILLARY_V12_TO_TRAIN``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmseg.datasets.classes import CITYSCAPES_COLOURS
from mmseg.datasets.label_tables import TRAIN_TO_CITYSCAPES
from mmseg.structures import IGNORE

CONFIG_FILE = 'config_v1.2.json'
# Parts of a name -> class; the first line with a part that occurs counts.
RULES = (
    (('trafficsign', 'front', 'back'), 'traffic sign'),
    (('onrail',), 'train'),
    (('cyclist', 'rider'), 'rider'),
    (('pole', 'streetlight'), 'pole'),
    (('curb', 'pedestrianarea'), 'sidewalk'),
    (('crosswalkplain', 'parking', 'bikelane', 'servicelane', 'lanemarking'), 'road'),
)


def cityscapes_class(name: str) -> str | None:
    """Cityscapes' class of a Mapillary class; None = ignored.

    Args:
        name: as in Mapillary's configuration file, e.g. ``Traffic Sign (Back)``.
    """
    plain = _plain(name)
    for known in CITYSCAPES_COLOURS:
        if plain == _plain(known):
            return known
    return next((known for parts, known in RULES if any(part in plain for part in parts)), None)


def mapillary_table(names: Sequence[str], train_ids: bool = True) -> np.ndarray:
    """(256,) uint8 id of each Mapillary id, 255 where it is ignored.

    Args:
        names: of Mapillary's classes, in the order of their ids.
        train_ids: 0 to 18; otherwise Cityscapes' label ids 7, 8, 11, ...
    """
    classes = list(CITYSCAPES_COLOURS)
    table = np.full(256, IGNORE, np.uint8)
    for label_id, name in enumerate(names):
        found = cityscapes_class(name)
        if found is not None:
            train_id = classes.index(found)
            table[label_id] = train_id if train_ids else TRAIN_TO_CITYSCAPES[train_id]
    return table


def read_class_names(path: str | Path) -> list[str]:
    """Readable names of the classes in Mapillary's configuration file, in the order of their ids.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is broken, or of another form.
    """
    try:
        content = json.loads(Path(path).read_text(encoding='utf-8'))
        return [str(label['readable']) for label in content['labels']]
    except FileNotFoundError:
        raise FileNotFoundError(
            f'{path} does not exist; it lies in the archive of Mapillary Vistas, v1.2 and v2.0, beside training/'
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not Mapillary's configuration ({type(error).__name__}: {error})") from None


def _plain(name: str) -> str:
    return name.lower().replace(' ', '').replace('-', '')
