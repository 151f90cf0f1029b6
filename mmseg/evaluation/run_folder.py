"""What lies in a run's folder: the config it was trained with, and its checkpoints."""

from __future__ import annotations

import json
import re
from pathlib import Path

CONFIG_SUFFIXES = ('.py', '.json')


def find_config(folder: str | Path) -> Path:
    """The config that a run left in its folder (``NAME.py``; ``.json`` in published ones).

    Raises:
        FileNotFoundError: no such folder, or no config in it.
        ValueError: several configs.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f'{folder}: no such run folder')
    for suffix in CONFIG_SUFFIXES:
        found = sorted(path for path in folder.glob(f'*{suffix}') if suffix == '.py' or _is_config(path))
        # Runs that were continued under another config's name hold both; the folder's own name decides.
        named = [path for path in found if path.stem == folder.resolve().name]
        if len(named or found) == 1:
            return (named or found)[0]
        if found:
            names = ', '.join(path.name for path in found)
            raise ValueError(f'{folder}: several configs ({names}); name one: python -m tools.test CONFIG CHECKPOINT')
    raise FileNotFoundError(f'{folder}: no config (.py, .json) in it; is it a run folder, work_dirs/RUN?')


def find_checkpoint(path: str | Path, best: bool = False) -> Path:
    """A checkpoint by its file or its run's folder.

    Args:
        path: a checkpoint, or a folder: then the last iterate, ``latest.pth``.
        best: the best checkpoint by the validation score in the folder instead. It was selected with the target's
            labels: not for tables.

    Raises:
        FileNotFoundError: it does not exist.
    """
    path = Path(path)
    folder = path if path.is_dir() else path.parent
    if best:
        found = sorted(folder.glob('best_*.pth'), key=lambda file: file.stat().st_mtime)
        if not found:
            raise FileNotFoundError(f'{folder}: no best_*.pth; without --best the last iterate is evaluated')
        return found[-1]
    if path.is_dir():
        path = folder / 'latest.pth'
        if not path.exists():
            raise FileNotFoundError(f'{path}: no such checkpoint; the run has not saved one yet')
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such checkpoint')
    return path


def newest_iteration(folder: str | Path) -> int | None:
    """The iteration of a run's last checkpoint, by the files' names; None if there is none."""
    names = (re.fullmatch(r'iter_(\d+)\.pth', path.name) for path in Path(folder).glob('iter_*.pth'))
    return max((int(found[1]) for found in names if found), default=None)


def _is_config(path: Path) -> bool:
    """Whether a JSON file is a config: logs and scores lie in the same folder."""
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except ValueError:
        return False
    return isinstance(content, dict) and 'model' in content
