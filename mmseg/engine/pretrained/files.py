"""Files of weights: PyTorch's own (new and old), and safetensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from mmseg.engine.legacy_checkpoint import is_old_tar, read_checkpoint
from mmseg.engine.pretrained.published import published_name

WRAPPERS = ('state_dict', 'model', 'resnet')
NOT_WEIGHTS = {
    b'version https://git-lfs': 'is a pointer of Git LFS, not the weights; run "git lfs pull" in its folder',
    b'<!DOCTYPE': 'is a web page, not the weights; download it again and look at what the browser shows',
    b'<html': 'is a web page, not the weights; download it again and look at what the browser shows',
}


def read_tensors(path: Path, trust: bool = False) -> tuple[dict[str, Tensor], Mapping[str, Any]]:
    """The tensors of a file by name: flat, or under one of :data:`WRAPPERS`, without wrappers' ``module.``.

    Args:
        path: of the file.
        trust: read files that need pickle, which can run any code.

    Returns:
        The tensors, and the file's ``meta``, empty if it has none.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it cannot be read, or holds no weights.
    """
    content = _read(path, trust)
    meta = content.get('meta')
    for entry in WRAPPERS:
        inner = content.get(entry)
        if isinstance(inner, Mapping):
            content = inner
    tensors = {key.removeprefix('module.'): value for key, value in content.items() if isinstance(value, Tensor)}
    if not tensors:
        raise ValueError(f'{path}: holds no weights')
    return tensors, meta if isinstance(meta, Mapping) else {}


def _read(path: Path, trust: bool) -> Mapping[str, object]:
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such file of weights')
    with path.open('rb') as file:
        start = file.read(32)
    if not start:
        raise ValueError(f'{path}: is empty; download it again')
    for beginning, problem in NOT_WEIGHTS.items():
        if start.lower().lstrip().startswith(beginning.lower()):
            raise ValueError(f'{path}: {problem}')
    # A safetensors file begins with the length of its JSON header (8 bytes) and the header.
    if start[8:9] == b'{':
        return _read_safetensors(path)
    try:
        return read_checkpoint(path, trust)
    except ValueError as error:
        raise ValueError(_with_command(path, str(error))) from None


def _with_command(path: Path, problem: str) -> str:
    """A problem of reading with the command that helps, where there is one."""
    name = published_name(path.name)
    command = 'python tools/get_pretrained.py'
    if '--trust-checkpoint' in problem and name and is_old_tar(path):
        return f"{path}: is in PyTorch's old tar format; get the same weights with: {command} {name}"
    if '--trust-checkpoint' in problem and is_old_tar(path):
        problem += f'; for a ResNet of torchvision run: {command} resnet101 (or 18, 34, 50, 152)'
    return problem.replace(
        'add --trust-checkpoint', f'run: {command} {name or "NAME"} --from {path} --trust-checkpoint'
    )


def _read_safetensors(path: Path) -> Mapping[str, object]:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError:
        raise ValueError(f'{path}: to read it run: pip install safetensors') from None
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise ValueError(f'{path}: cannot be read ({error}); download it again') from None
