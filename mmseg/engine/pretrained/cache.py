"""Published files that torch has downloaded before: torchvision, mmcv and mmengine keep theirs in its cache."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import torch

from mmseg.engine.legacy_checkpoint import is_old_tar
from mmseg.engine.pretrained.published import Published

BLOCK = 1 << 20


def cached_file(entry: Published, say: Callable[[str], None]) -> Path | None:
    """The file, or an older one with the same weights, that is whole and not in PyTorch's old tar format."""
    for folder in cache_folders():
        for name in (entry.file, *entry.aliases):
            path = folder / name
            if not path.is_file() or is_old_tar(path):
                continue
            if expected := wrong_hash(path):
                say(f'{path} is damaged (its hash is not {expected}): not used')
                continue
            say(f'{path} is in the cache of torch')
            return path
    return None


def cache_folders() -> list[Path]:
    """Of PyTorch since 1.7, and before."""
    home = os.environ.get('TORCH_HOME') or Path(os.environ.get('XDG_CACHE_HOME') or '~/.cache') / 'torch'
    return [Path(torch.hub.get_dir()) / 'checkpoints', Path(home).expanduser() / 'checkpoints']


def wrong_hash(path: Path) -> str | None:
    """The hash in a file's name (``-658746d9.pth``) if it is not that of its content; None otherwise."""
    named = re.search(r'-([0-9a-f]{8})\.pth$', path.name)
    if named is None:
        return None
    digest = sha256()
    with path.open('rb') as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return None if digest.hexdigest().startswith(named[1]) else named[1]
