"""From config to method, with one clear line for a key that nobody reads."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from mmseg.engine.errors import near_names
from mmseg.registry import MODELS

T = TypeVar('T')
MASKED_WITHOUT_TARGET = {
    'separate': 'separatesrc',
    'separateaug': 'separatesrcaug',
    'separatetrg': 'separatesrc',
    'separatetrgaug': 'separatesrcaug',
}
_FILLED_BY_BUILD = ('model', 'max_iters', 'data_preprocessor')


def build_method(cfg: Mapping[str, Any]) -> Any:
    """The method that a config trains.

    Args:
        cfg: with ``model`` (a segmentor, and in it ``data_preprocessor``), ``uda`` (absent: supervised training) and
            ``train_cfg.max_iters``. It is not changed. ``uda.source_only=True`` leaves of a method its supervised part.

    Returns:
        A :class:`~mmseg.models.uda.base.UDADecorator`.

    Raises:
        ValueError: if the method does not exist or does not know a key.
    """
    model = copy.deepcopy(_plain(cfg['model']))
    preprocessor = model.pop('data_preprocessor', None)
    uda = copy.deepcopy(_plain(cfg.get('uda') or {'type': 'Supervised'}))
    method = _registered(uda.pop('type', None), 'uda')
    max_iters = (cfg.get('train_cfg') or {}).get('max_iters')
    source_only = uda.pop('source_only', False)
    check_keys(method, uda, 'uda', hidden=_FILLED_BY_BUILD)
    if source_only:
        method = _registered('Supervised', 'uda')
        uda = _supervised_part(uda, inspect.signature(method).parameters)
    return method(model=model, max_iters=max_iters, data_preprocessor=preprocessor, **uda)


def build_component(cls: Callable[..., T] | None, cfg: Mapping[str, Any] | None, key: str) -> T:
    """A component from its nested config.

    Args:
        cls: the class; None = ``cfg['type']`` names a registered one.
        cfg: its arguments; None = its defaults.
        key: where the config stands, for messages.

    Raises:
        ValueError: if the class does not know a key.
    """
    settings = dict(cfg or {})
    chosen = cls if cls is not None else _registered(settings.pop('type', None), key)
    check_keys(chosen, settings, key)
    return chosen(**settings)


def check_keys(target: Callable[..., Any], settings: Mapping[str, Any], key: str, hidden: Iterable[str] = ()) -> None:
    """Raise ValueError for a setting that is no argument of ``target``; ``hidden`` arguments are not for users."""
    known = [name for name in inspect.signature(target).parameters if name not in hidden]
    for name in settings:
        if name not in known:
            label = getattr(target, '__name__', target)
            raise ValueError(
                f'{key}: {label} has no setting {name!r}{near_names(name, known, 1)}; known are {", ".join(known)}'
            )


def _supervised_part(uda: Mapping[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """What the published wrapper does without teacher and target: the source images, whole and masked."""
    kept = {key: value for key, value in uda.items() if key in known}
    if kept.get('masking'):
        mode = kept['masking'].get('mode', 'separatetrg')
        kept['masking'] = {**kept['masking'], 'mode': MASKED_WITHOUT_TARGET.get(mode, mode)}
    return kept


def _registered(name: str | None, key: str) -> Callable[..., Any]:
    found = MODELS.get(name) if name is not None else None
    if found is None:
        raise ValueError(f'{key}: type {name!r} is not registered{near_names(str(name), list(MODELS.module_dict))}')
    return found


def _plain(cfg: Any) -> dict[str, Any]:
    return cfg.to_dict() if hasattr(cfg, 'to_dict') else dict(cfg)
