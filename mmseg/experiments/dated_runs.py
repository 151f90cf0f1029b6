"""Dated runs: a config file of their own, a folder of their own."""

from __future__ import annotations

import os
import re
import time
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmseg.engine.config import find_config, load_config
from mmseg.engine.errors import ROOT
from mmseg.engine.git_state import git_state
from mmseg.experiments.config import child_config
from mmseg.experiments.grid import Training

GENERATED = Path('configs/generated')
WORK_DIRS = Path('work_dirs')


def generate(config: str | Path, machine: str, options: Mapping[str, Any] | None = None, suffix: str = '') -> Path:
    """Write the config of a new run: a child of ``config``, or the whole merged config where options change it.

    Returns:
        The path of ``configs/generated/<machine>-<exp><suffix>/<name>.py``, below the working directory.

    Raises:
        FileNotFoundError: if there is no such config.
        ValueError: if an option does not fit it, or is a work dir.
    """
    _refuse_work_dir(options)
    base = find_config(config)
    cfg = load_config(base, options)
    path, own = _new_run(f'{machine}-{cfg.get("exp", "basic")}{suffix}', _base_name(cfg, base))
    if options:
        cfg.merge_from_dict(own)
        path.write_text(cfg.pretty_text, encoding='utf-8')
    else:
        _write_child(path, [base], own)
    return path


def generate_training(
    training: Training,
    experiment: int | str,
    machine: str,
    options: Mapping[str, Any] | None = None,
    suffix: str = '',
) -> Path:
    """Write the config of a training of a grid: a child of base files of the repository, or the whole merged config
    where options change it.

    Returns:
        The path of ``configs/generated/<machine>-exp<experiment><suffix>/<name>.py``, below the working directory.

    Raises:
        ValueError: if a setting has no config, a base file is missing, or an option does not fit or is a work dir.
    """
    _refuse_work_dir(options)
    settings = child_config(training)
    bases = [ROOT / 'configs' / file for file in settings.pop('_base_')]
    missing = [base for base in bases if not base.is_file()]
    if missing:
        raise ValueError(f'{settings["name"]}: there is no {missing[0]}')
    path, own = _new_run(f'{machine}-exp{experiment}{suffix}', settings['name'])
    _write_child(path, bases, {**settings, 'exp': experiment, **own})
    if options:
        try:
            cfg = load_config(path, options)
        finally:
            # What options do not fit must not be found as the newest run.
            path.unlink()
        cfg.merge_from_dict(own)
        path.write_text(cfg.pretty_text, encoding='utf-8')
    return path


def find_run(config: str | Path, machine: str, run: str | bool, options: Mapping[str, Any] | None = None) -> Config:
    """The config of an earlier run, set to resume it.

    Args:
        config: what the run was generated from.
        machine: as it was when the run was started; of a certain run it does not matter.
        run: its work dir or name; True = the newest run of this config.
        options: config values for the rest of the run. The newest run is that of their ``name`` and ``exp``.

    Raises:
        FileNotFoundError: if there is no such run.
        ValueError: if an option does not fit, or is a work dir.
    """
    base = find_config(config)
    if run is True:
        cfg = load_config(base, options)
        name, folder = _base_name(cfg, base), GENERATED / f'{machine}-{cfg.get("exp", "basic")}'
        files, what = _runs(folder, name), f'run of {config} in {folder}'
    else:
        # Options may have given it another name and folder than the config has.
        files = [file for file in _dated(GENERATED.glob('*/*.py')) if file.stem == Path(str(run)).name]
        what = f'run {run} of {config} in {GENERATED}'
    if not files:
        raise FileNotFoundError(f'no {what} to resume')
    return _resumed(_with_checkpoint(files), options)


def find_training(
    name: str, experiment: int | str, machine: str, options: Mapping[str, Any] | None = None
) -> Config | None:
    """The config of the newest run of a training of a grid, set to resume it; None if there is none.

    Raises:
        ValueError: if an option, a config value for the rest of the run, does not fit or is a work dir.
    """
    files = _runs(GENERATED / f'{machine}-exp{experiment}', name)
    return _resumed(_with_checkpoint(files), options) if files else None


def is_finished(cfg: Config) -> bool:
    """Whether a run's folder holds the checkpoint of its last iteration."""
    return (Path(cfg.work_dir) / f'iter_{cfg.train_cfg.max_iters}.pth').is_file()


def _new_run(folder: str, name: str) -> tuple[Path, dict[str, str]]:
    """Where the config of a new run goes, and what is its own."""
    dated = f'{time.strftime("%y%m%d_%H%M")}_{name}_{uuid.uuid4().hex[:5]}'
    path = GENERATED / folder / f'{dated}.py'
    path.parent.mkdir(parents=True, exist_ok=True)
    return path, {'name': dated, 'work_dir': (WORK_DIRS / folder / dated).as_posix(), 'git_rev': git_state() or ''}


def _write_child(path: Path, bases: Iterable[Path], settings: Mapping[str, Any]) -> None:
    relative = [Path(os.path.relpath(base.resolve(), path.parent.resolve())).as_posix() for base in bases]
    listed = ''.join(f'    {base!r},\n' for base in relative)
    path.write_text(f'_base_ = [\n{listed}]\n{Config(dict(settings)).pretty_text}', encoding='utf-8')


def _runs(folder: Path, name: str) -> list[Path]:
    """Config files of a name's runs, oldest first."""
    return _dated(folder.glob('*.py'), re.escape(name))


def _dated(files: Iterable[Path], name: str = '.+') -> list[Path]:
    """Those of the files that are configs of runs whose name fits a pattern, oldest first."""
    runs = [file for file in files if re.fullmatch(rf'\d{{6}}_\d{{4}}_{name}_[0-9a-f]{{5}}', file.stem)]
    return sorted(runs, key=lambda file: file.stat().st_mtime)


def _with_checkpoint(files: list[Path]) -> Path:
    """The newest run that has a checkpoint: one that failed at its start is nothing to go on with; else the newest."""
    trained = [file for file in files if (WORK_DIRS / file.parent.name / file.stem / 'latest.pth').is_file()]
    if not trained:
        return files[-1]
    later = [file.stem for file in files[files.index(trained[-1]) + 1 :]]
    if later:
        print(f'Resuming {trained[-1].stem}; later runs have no checkpoint: {", ".join(later)}')
    return trained[-1]


def _resumed(file: Path, options: Mapping[str, Any] | None) -> Config:
    """A run's config with options laid over; its name and ``exp`` stay."""
    _refuse_work_dir(options)
    cfg = load_config(file, {key: value for key, value in (options or {}).items() if key not in ('name', 'exp')})
    cfg.resume = True
    return cfg


def _refuse_work_dir(options: Mapping[str, Any] | None) -> None:
    if options and 'work_dir' in options:
        raise ValueError(
            '--cfg-options work_dir: dated runs have folders of their own; tools/train.py CONFIG --work-dir takes yours'
        )


def _base_name(cfg: Config, base: Path) -> str:
    return str(cfg.get('name') or base.stem)
