"""Dated runs: a config file of their own, a folder of their own."""

from __future__ import annotations

import os
import re
import subprocess
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmseg.engine.config import find_config, load_config

GENERATED = Path('configs/generated')
WORK_DIRS = Path('work_dirs')


def generate(config: str | Path, machine: str, options: Mapping[str, Any] | None = None, suffix: str = '') -> Path:
    """Writes the config of a new run: a child of ``config``, or the whole merged config where options change it.

    Returns:
        The path of ``configs/generated/<machine>-<exp><suffix>/<name>.py``, below the working directory.

    Raises:
        FileNotFoundError: if there is no such config.
    """
    base = find_config(config)
    cfg = load_config(base, options)
    folder = f'{machine}-{cfg.get("exp", "basic")}{suffix}'
    name = f'{time.strftime("%y%m%d_%H%M")}_{_base_name(cfg, base)}_{uuid.uuid4().hex[:5]}'
    path = GENERATED / folder / f'{name}.py'
    path.parent.mkdir(parents=True, exist_ok=True)
    own = {'name': name, 'work_dir': (WORK_DIRS / folder / name).as_posix(), 'git_rev': git_revision()}
    if options:
        cfg.merge_from_dict(own)
        path.write_text(cfg.pretty_text, encoding='utf-8')
    else:
        relative = Path(os.path.relpath(base.resolve(), path.parent.resolve())).as_posix()
        lines = [f'_base_ = [{relative!r}]', *(f'{key} = {value!r}' for key, value in own.items())]
        path.write_text('\n'.join(lines) + '\n', encoding='utf-8')
    return path


def find_run(config: str | Path, machine: str, run: str | bool, options: Mapping[str, Any] | None = None) -> Config:
    """The config of an earlier run, set to resume it.

    Args:
        config: what the run was generated from.
        machine: as it was when the run was started.
        run: its work dir or name; True = the newest run of this config.
        options: config values for the rest of the run.

    Raises:
        FileNotFoundError: if there is no such run.
    """
    base = find_config(config)
    cfg = load_config(base)
    folder = GENERATED / f'{machine}-{cfg.get("exp", "basic")}'
    pattern = rf'\d{{6}}_\d{{4}}_{re.escape(_base_name(cfg, base))}_[0-9a-f]{{5}}'
    files = [file for file in folder.glob('*.py') if re.fullmatch(pattern, file.stem)]
    if run is not True:
        files = [file for file in files if file.stem == Path(str(run)).name]
    if not files:
        what = f'run {run} of {config}' if run is not True else f'run of {config}'
        raise FileNotFoundError(f'no {what} in {folder} to resume')
    newest = max(files, key=lambda file: file.stat().st_mtime)
    cfg = load_config(newest, options)
    cfg.resume = True
    return cfg


def git_revision() -> str:
    """The commit that is checked out, empty where there is none."""
    try:
        found = subprocess.run(['git', 'rev-parse', 'HEAD'], capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ''
    return found.stdout.strip()


def _base_name(cfg: Config, base: Path) -> str:
    return str(cfg.get('name') or base.stem)
