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

# Of the archive of v2.0, and of that of v1.2.
CONFIG_FILES = ('config_v1.2.json', 'config.json')
NUM_CLASSES = 66  # of v1.2
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


def find_class_names(root: str | Path) -> list[str]:
    """Names of v1.2's classes from the configuration file in Mapillary's folder.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is broken, of another form, or of another version.
    """
    own, plain = (Path(root) / name for name in CONFIG_FILES)
    if own.is_file() or not plain.is_file():
        return read_class_names(own)
    names = read_class_names(plain)
    if len(names) != NUM_CLASSES:
        raise ValueError(f'{plain} has {len(names)} classes, v1.2 has {NUM_CLASSES}: it is of another version')
    return names


def read_class_names(path: str | Path) -> list[str]:
    """Readable names of the classes in a configuration file of Mapillary's, in the order of their ids.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is broken, or of another form.
    """
    try:
        content = json.loads(Path(path).read_text(encoding='utf-8'))
        return [str(label['readable']) for label in content['labels']]
    except FileNotFoundError:
        raise FileNotFoundError(
            f'{path} does not exist, nor config.json; the former lies beside training/ in the archive of Mapillary '
            'Vistas v2.0, the latter in that of v1.2'
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not Mapillary's configuration ({type(error).__name__}: {error})") from None


def _plain(name: str) -> str:
    return name.lower().replace(' ', '').replace('-', '')
