"""Reading config files."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.config.utils import ConfigParsingError

from mmseg.engine.errors import ROOT, near_names

SUFFIXES = ('.py', '.json', '.yaml', '.yml')


def find_config(path: str | Path) -> Path:
    """The config file that ``path`` names, with or without ``.py``, from here or from the repository's root.

    Raises:
        FileNotFoundError: with the nearest existing paths.
    """
    path = Path(path)
    for start in (Path(), ROOT):
        for candidate in (start / path, start / f'{path}.py'):
            if candidate.is_file():
                return candidate
    raise FileNotFoundError(f'config {path} does not exist{_nearest(path)}')


def load_config(path: str | Path, cfg_options: Mapping[str, Any] | None = None) -> Config:
    """A config file with its bases, options applied; 0.x configs of the original code bases are translated.

    Args:
        path: ``.py`` (may be left out), ``.json`` or ``.yaml``.
        cfg_options: values by dotted key, e.g. ``{'train_cfg.max_iters': 100}``; they use the file's own schema.

    Raises:
        FileNotFoundError: if it or a base does not exist.
        ValueError: if it cannot be parsed, or an option's first key is not in the config.
    """
    file = find_config(path)
    if file.suffix in ('.pth', '.pt', '.pkl'):
        raise ValueError(f'{file} is a checkpoint, where a config is expected; the order is CONFIG CHECKPOINT')
    try:
        cfg = Config.fromfile(str(file))
    except FileNotFoundError as error:
        raise FileNotFoundError(f'config {file}: a _base_ file is missing: {error}') from None
    except RecursionError:
        raise ValueError(f'config {file} is a _base_ of itself, or of one of its own') from None
    except (
        SyntaxError,
        NameError,
        KeyError,
        TypeError,
        AttributeError,
        ImportError,
        OSError,
        ConfigParsingError,
        json.JSONDecodeError,
    ) as error:
        raise ValueError(f'config {file} cannot be read: {type(error).__name__}: {error}') from None
    if cfg_options:
        _check_options(cfg, cfg_options)
        try:
            cfg.merge_from_dict(dict(cfg_options))
        except (KeyError, TypeError) as error:
            raise ValueError(f'--cfg-options do not fit config {file}: {error.args[0]}') from None
    # It needs this module's table of keys.
    from mmseg.engine.legacy_config import is_legacy, upgrade

    cfg = upgrade(cfg) if is_legacy(cfg) else cfg
    _take_pretrained(cfg)
    return cfg


def _take_pretrained(cfg: Config) -> None:
    """Move ``backbone.init_cfg`` of type ``Pretrained``, OpenMMLab's name for an encoder's weights, to ``pretrained``.

    Raises:
        ValueError: ``pretrained`` names some already.
    """
    model = cfg.get('model') or {}
    backbone = model.get('backbone') or {}
    given = backbone.get('init_cfg') or {}
    if not isinstance(given, dict) or given.get('type') != 'Pretrained':
        return
    if named := model.get('pretrained') or backbone.get('pretrained'):
        raise ValueError(
            f'model.backbone.init_cfg names weights, {given.get("checkpoint")}, and so does pretrained, {named}: '
            'keep one'
        )
    del backbone['init_cfg']
    backbone['pretrained'] = given.get('checkpoint')


def check_is_training(cfg: Config) -> None:
    """Makes sure that a config says what training needs.

    Raises:
        ValueError: it lacks a part, as the files below ``_base_`` and those that are no configs do.
    """
    missing = [key for key in ('model', 'train_dataloader', 'optim_wrapper', 'train_cfg') if not cfg.get(key)]
    if missing:
        raise ValueError(f'config {cfg.filename or ""} describes no training: it has no {", ".join(missing)}')


OPTIONAL_KEYS = (
    'uda', 'load_from', 'resume', 'seed', 'deterministic', 'precision', 'work_dir', 'name', 'exp', 'param_scheduler',
    'default_hooks', 'custom_hooks', 'custom_imports', 'sync_bn', 'channels_last', 'compile', 'env_cfg', 'visualizer',
    'log_level', 'val_cfg', 'test_cfg', 'val_dataloader', 'test_dataloader', 'val_evaluator', 'test_evaluator',
    'trust_checkpoint',
)  # fmt: skip


def _check_options(cfg: Config, options: Mapping[str, Any]) -> None:
    for option in options:
        first = option.split('.')[0]
        if first not in cfg and first not in OPTIONAL_KEYS:
            raise ValueError(f'--cfg-options {option}: no such key{near_names(first, [*cfg.keys(), *OPTIONAL_KEYS])}')


def _nearest(path: Path, count: int = 3) -> str:
    """`` ; did you mean …`` by path and by file name; the closest existing folder if nothing is near."""
    files = [
        file for suffix in SUFFIXES for file in (ROOT / 'configs').rglob(f'*{suffix}') if '_base_' not in file.parts
    ]
    if path.parent.is_dir():
        files += [file for suffix in SUFFIXES for file in path.parent.glob(f'*{suffix}')]
    wanted, known = path.with_suffix('').as_posix(), {}
    for file in files:
        file = file.resolve()
        known[(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file).as_posix()] = file.stem
    if not known:
        return ''

    def likeness(item: tuple[str, str]) -> float:
        whole = difflib.SequenceMatcher(None, wanted, str(Path(item[0]).with_suffix(''))).ratio()
        stem = difflib.SequenceMatcher(None, path.stem, item[1]).ratio()
        return max(whole, stem)

    best = sorted(known.items(), key=likeness, reverse=True)[:count]
    return '; nearest: ' + ', '.join(name for name, _ in best)
