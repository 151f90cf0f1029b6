"""Class names and colours of a dataset, also without its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmseg.datasets.classes import distinct_palette
from mmseg.registry import DATASETS

Metainfo = dict[str, Any]


def complete_metainfo(own: Mapping[str, Any], given: Mapping[str, Any] | str | None, name: str) -> Metainfo:
    """A dataset's class's metainfo, completed or replaced by the config's, checked.

    Args:
        own: ``METAINFO`` of the class.
        given: ``classes`` and ``palette`` (RGB), or the name of a dataset whose classes these are.
        name: the dataset, for messages.

    Returns:
        ``classes`` (tuple of names), ``palette`` (list of RGB lists), and what else was given.

    Raises:
        ValueError: no classes, more than 255, a palette of another length, or an unknown dataset name.
    """
    if isinstance(given, str):
        given = _dataset_class(given, f'{name}: metainfo').METAINFO
    metainfo = {**own, **(given or {})}
    if not metainfo.get('classes'):
        raise ValueError(f"{name} needs its class names: metainfo=dict(classes=('road', ...), palette=[...])")
    classes = tuple(metainfo['classes'])
    # New class names do not keep the colours of the class's own.
    inherited = given is not None and 'classes' in given and 'palette' not in given
    palette = (None if inherited else metainfo.get('palette')) or distinct_palette(len(classes))
    if len(classes) != len(palette):
        raise ValueError(f'{name}: {len(classes)} classes, but {len(palette)} colours in the palette')
    if len(classes) > 255:
        raise ValueError(f'{name}: {len(classes)} classes, but label maps of 8 bits hold at most 255 and ignore')
    return {**metainfo, 'classes': classes, 'palette': [list(colour) for colour in palette]}


def dataset_metainfo(dataset_cfg: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Metainfo:
    """Metainfo of the dataset that a config describes; of a pair of domains its target's, of several the first's.

    No file is looked at.

    Raises:
        ValueError: an unknown type, or no valid classes.
    """
    while not isinstance(dataset_cfg, Mapping) or (inner := _inner(dataset_cfg)):
        dataset_cfg = inner if isinstance(dataset_cfg, Mapping) else dataset_cfg[0]
    name = dataset_cfg.get('type')
    return complete_metainfo(_dataset_class(name, 'dataset').METAINFO, dataset_cfg.get('metainfo'), str(name))


def _inner(dataset_cfg: Mapping[str, Any]) -> Any:
    return next((dataset_cfg[key] for key in ('target', 'datasets', 'dataset') if dataset_cfg.get(key)), None)


def _dataset_class(name: Any, where: str) -> Any:
    found = DATASETS.get(name) if isinstance(name, str) else None
    if found is None or not hasattr(found, 'METAINFO'):
        raise ValueError(f'{where}: there is no dataset {name!r}')
    return found
