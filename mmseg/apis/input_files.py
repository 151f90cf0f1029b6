"""Which files a command's inputs mean, and under what names their results go."""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmseg.datasets.base_dataset import files_below

IMAGE_SUFFIXES = (
    '.jpg', '.jpeg', '.jpe', '.jfif', '.jp2', '.png', '.bmp', '.dib', '.tif', '.tiff', '.webp', '.avif', '.gif',
    '.ppm', '.pgm', '.pbm', '.pnm',
)  # fmt: skip
VIDEO_SUFFIXES = ('.mp4', '.m4v', '.avi', '.mov', '.mkv', '.webm', '.mpg', '.mpeg', '.wmv', '.flv', '.3gp', '.ogv')
WILDCARD = re.compile(r'[*?[]')


@dataclass(frozen=True)
class InputFile:
    """An image or a video.

    Attributes:
        path: of the file.
        name: for its results: a path without suffix below the output folder, unique among all inputs.
    """

    path: Path
    name: str

    @property
    def is_video(self) -> bool:
        """By its suffix."""
        return self.path.suffix.lower() in VIDEO_SUFFIXES


def find_inputs(inputs: Sequence[str | Path], output_folder: str | Path) -> list[InputFile]:
    """All files that the inputs mean, each once, in their order.

    Args:
        inputs: files, folders (searched with their sub-folders) and patterns (``*``, ``?``, ``[...]``, ``**``).
        output_folder: where results go; files in it are taken only if they are named.

    Raises:
        FileNotFoundError: an input does not exist, or there is nothing to predict in it.
    """
    roots: dict[Path, Path] = {}
    for given in map(str, inputs):
        path = Path(given)
        if path.is_file():
            found, root = [path], path.parent
        elif path.is_dir():
            found, root = [path / name for name in sorted(files_below(given))], path
        elif WILDCARD.search(given):
            found, root = _matching(given), _fixed_part(given)
        else:
            raise FileNotFoundError(f'{given}: no such file or folder')
        usable = found if path.is_file() else _usable(found, Path(output_folder).resolve())
        if not usable:
            raise FileNotFoundError(f'{given}: no images (.jpg, .png, ...) and no videos (.mp4, .avi, ...) found')
        known = {file.resolve() for file in roots}
        roots |= {file: root for file in usable if file.resolve() not in known}
    names = _unique_names(list(roots), list(roots.values()))
    return [InputFile(path, name) for path, name in zip(roots, names, strict=True)]


def _matching(pattern: str) -> list[Path]:
    found: list[Path] = []
    for match in sorted(glob.glob(pattern, recursive=True)):
        path = Path(match)
        found += [path / name for name in sorted(files_below(match))] if path.is_dir() else [path]
    return list(dict.fromkeys(found))


def _fixed_part(pattern: str) -> Path:
    """The folders before the first wildcard."""
    parts = Path(pattern).parts
    first = next(i for i, part in enumerate(parts) if WILDCARD.search(part))
    return Path(*parts[:first])


def _usable(files: Iterable[Path], output_folder: Path) -> list[Path]:
    known = (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES)
    return [file for file in files if file.suffix.lower() in known and not file.resolve().is_relative_to(output_folder)]


def _unique_names(paths: Sequence[Path], roots: Sequence[Path]) -> list[str]:
    """A name for each file, as short as it can be without meeting another.

    ``a.jpg`` beside ``a.png`` becomes ``a_jpg``; files of one name from two folders get the folders' names.
    """
    absolute = [Path(os.path.abspath(path)) for path in paths]
    common = Path(os.path.commonpath([path.parent for path in absolute])) if paths else Path()
    choices = []
    for path, root, whole in zip(paths, roots, absolute, strict=True):
        inside, below = path.relative_to(root), whole.relative_to(common)
        choices.append([_without_suffix(inside), _suffix_as_name(inside), _suffix_as_name(below)])
    levels = [0] * len(paths)
    while True:
        names = [choice[level] for choice, level in zip(choices, levels, strict=True)]
        counts = Counter(names)
        clashing = [i for i, name in enumerate(names) if counts[name] > 1 and levels[i] < 2]
        if not clashing:
            break
        for i in clashing:
            levels[i] += 1
    seen: Counter[str] = Counter()
    for i, name in enumerate(names):
        seen[name] += 1
        if seen[name] > 1:
            names[i] = f'{name}_{seen[name]}'
    return names


def _without_suffix(path: Path) -> str:
    return path.with_suffix('').as_posix()


def _suffix_as_name(path: Path) -> str:
    return f'{_without_suffix(path)}_{path.suffix[1:]}' if path.suffix else path.as_posix()
