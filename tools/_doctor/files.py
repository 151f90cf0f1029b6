"""Files that a config starts from beside data and encoder weights: checkpoints, prototypes, depth banks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools._doctor.findings import MISSING, OK, Finding

GROUP = 'configs'


@dataclass(frozen=True)
class NamedFile:
    """A file or folder that a config names.

    Attributes:
        config: the config's name.
        key: where it stands there.
        path: of the file or folder; empty if the config leaves it open.
    """

    config: str
    key: str
    path: str


def named_files(config: str, cfg: Mapping[str, Any]) -> Iterator[NamedFile]:
    """The files of a config but those that an earlier stage makes."""
    for key, path in _named(cfg):
        if path is not None and not made_by_a_stage(path):
            yield NamedFile(config, key, str(path))


def made_by_a_stage(value: Any) -> bool:
    """Whether a value of a config, or one inside it, is what an earlier stage leaves."""
    from mmseg.experiments.references import references

    return bool(references(value))


def _named(cfg: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    uda = cfg.get('uda') or {}
    yield 'load_from', cfg.get('load_from') or None
    yield 'uda.prototypes', uda.get('prototypes')
    yield 'uda.depth_guidance.bank', (uda.get('depth_guidance') or {}).get('bank')
    for number, teacher in enumerate(uda.get('teachers') or ()):
        place = f'uda.teachers.{number}'
        yield f'{place}.checkpoint', teacher.get('checkpoint', '')
        # Without rectification nobody reads a teacher's prototypes.
        yield f'{place}.prototypes', teacher.get('prototypes') or ('' if uda.get('rectify') else None)


def check_files(files: list[NamedFile]) -> Iterator[Finding]:
    """Whether each is there."""
    for file in files:
        there = bool(file.path) and Path(file.path).exists()
        problem = '' if there else ': no such file' if file.path else ': not set'
        run = '' if there else f'--cfg-options {file.key}=FILE when training, or run the stages: run_experiments.py'
        if not there and file.key == 'load_from':
            run = f'python tools/train.py {file.config} --load-from CHECKPOINT'
        status = OK if there else MISSING
        yield Finding(GROUP, status, file.path or file.key, f'{file.key} of {file.config}{problem}', run)
