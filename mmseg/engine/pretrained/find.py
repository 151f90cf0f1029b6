"""Finding the file that a config's ``pretrained`` means."""

from __future__ import annotations

import re
from pathlib import Path

from mmseg.engine.errors import ROOT, near_names
from mmseg.engine.legacy_checkpoint import is_old_tar
from mmseg.engine.pretrained.published import HUB_FILES, PUBLISHED, SCHEMES, published_name

FOLDER = Path('pretrained')
# torchvision has several sets of weights of a network: V1 are those that it had when there was one.
_VERSIONED = re.compile(r'(torchvision://)(\w+?)(?:_weights)?\.(imagenet1k_v\d+|default)', re.IGNORECASE)


def find_pretrained(source: str) -> Path:
    """The file of weights.

    A relative path counts from the working directory, then from the repository. Published weights are found under
    the config's name and under the names they are published with; a cloned Hugging Face repository is a folder. A
    file in PyTorch's old tar format, which cannot be loaded, comes last.

    Args:
        source: a file, a folder that holds one, ``open-mmlab://NAME``, ``torchvision://NAME`` (or
            ``NAME.imagenet1k_v1``), or the address of a file that lies in ``pretrained/``.

    Raises:
        FileNotFoundError: if there is none; says how to get it.
        ValueError: for a name that is not known.
    """
    wanted, name = _wanted(source)
    candidates = [wanted]
    if name in PUBLISHED:
        candidates += [wanted.with_name(file) for file in PUBLISHED[name].names(name)]
    there = [weights_file(folder / candidate) for candidate in candidates for folder in (Path(), ROOT)]
    found = sorted(filter(None, there), key=is_old_tar)
    if found:
        return found[0]
    advice = ''
    if name in PUBLISHED:
        advice = f'; run: python tools/get_pretrained.py {name}; or put there {PUBLISHED[name].places()}'
    elif source.startswith('http'):
        advice = f'; put there {source}'
    raise FileNotFoundError(
        f'{wanted}: no such file of pretrained weights (model.pretrained){advice}; '
        'model.pretrained=None trains from scratch (docs/weights.md)'
    )


def weights_file(path: Path) -> Path | None:
    """The path itself if it is a file; what it keeps its weights in if it is a cloned Hugging Face repository."""
    if path.is_dir():
        return next((path / name for name in HUB_FILES if (path / name).is_file()), None)
    return path if path.is_file() else None


def _wanted(source: str) -> tuple[Path, str]:
    """The path to look for, and the name under which its weights may be published."""
    versioned = _VERSIONED.fullmatch(source)
    if versioned is not None:
        return _wanted(_plain_name(source, versioned))
    scheme, found, name = source.partition('://')
    if not found:
        return Path(source), published_name(Path(source).name) or Path(source).stem
    if re.fullmatch('https?', scheme):
        file = source.rsplit('/', 1)[-1]
        return FOLDER / file, published_name(file) or Path(file).stem
    known = {f'{entry.scheme}://{name}': name for name, entry in PUBLISHED.items() if entry.scheme == scheme}
    if source not in known:
        schemes = ' and '.join(f'{scheme}://' for scheme in SCHEMES)
        near = near_names(source, list(known)) if known else f'; there are {schemes} names'
        raise ValueError(f'pretrained={source!r} is not a known name{near}')
    return FOLDER / PUBLISHED[name].file, name


def _plain_name(source: str, versioned: re.Match[str]) -> str:
    plain = versioned[1].lower() + versioned[2].lower()
    if versioned[3].lower() != 'imagenet1k_v1':
        raise ValueError(
            f'pretrained={source!r}: of torchvision only the V1 weights are known by name ({plain}); for others put '
            'their file into pretrained/ and give its path'
        )
    return plain
