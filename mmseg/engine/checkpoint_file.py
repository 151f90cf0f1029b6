"""Writing checkpoint files so that no interruption loses one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

TEMPORARY = '.partial'


def write_checkpoint(path: str | Path, content: Mapping[str, Any]) -> None:
    """Writes beside ``path``, syncs to disk, then renames: under its name a file is always complete."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _partial(path)
    try:
        with partial.open('wb') as file:
            torch.save(dict(content), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def share_checkpoint(source: str | Path, name: str | Path) -> None:
    """Gives a finished checkpoint a second name: a hard link, or a copy where the file system has none.

    Never a symbolic link: it would dangle once the older file is pruned or the folder is copied elsewhere.
    """
    source, name = Path(source), Path(name)
    partial = _partial(name)
    partial.unlink(missing_ok=True)
    try:
        try:
            os.link(source, partial)
        except OSError:
            shutil.copyfile(source, partial)
        os.replace(partial, name)
        # Where both names are already links to one file, os.replace does nothing and leaves the temporary name.
        partial.unlink(missing_ok=True)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def remove_partial_files(folder: str | Path) -> None:
    """Removes what a killed run left half-written."""
    for file in Path(folder).glob(f'.*{TEMPORARY}'):
        file.unlink(missing_ok=True)


def _partial(path: Path) -> Path:
    return path.with_name(f'.{path.name}.{os.getpid()}{TEMPORARY}')


def _sync_folder(folder: Path) -> None:
    """Makes the rename itself durable; file systems that cannot open folders do without."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
