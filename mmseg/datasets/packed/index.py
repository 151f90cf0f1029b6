"""The index of a pack: a JSON line of facts, then a line per image; written as packing goes on, renamed when done."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from mmseg.datasets.packed.settings import Settings

FORMAT = 1
INDEX_FILE = 'index.jsonl'
UNFINISHED_FILE = 'index.jsonl.unfinished'
SHARD_FILE = 'data_{:03d}.bin'


@dataclass(frozen=True)
class SourceFile:
    """A file that a pack was made from.

    Attributes:
        name: path below its folder.
        size: in bytes.
        mtime_ns: when it was written.
        crc32: of its bytes.
    """

    name: str
    size: int
    mtime_ns: int
    crc32: int


@dataclass(frozen=True)
class Entry:
    """One image of a pack.

    Attributes:
        files: by ``image``, ``label``, ``depth``.
        shard: number of the data file.
        start: of its first array in the data file, in bytes.
        size: of all its arrays with the gaps between them.
        crc32: of these bytes.
        arrays: (start after the entry's, shape, dtype) by ``image``, ``label``, ``depth``.
        ori_shape: (height, width) of the image file.
        scale_factor: of the resize, as samples have it; None without one.
    """

    files: dict[str, SourceFile]
    shard: int
    start: int
    size: int
    crc32: int
    arrays: dict[str, tuple[int, tuple[int, ...], str]]
    ori_shape: tuple[int, int]
    scale_factor: tuple[float, float] | None

    def to_line(self) -> str:
        """As a line of the index."""
        return json.dumps(asdict(self)) + '\n'

    @classmethod
    def from_line(cls, line: str) -> Entry:
        """Of a line of the index."""
        values = json.loads(line)
        files = {kind: SourceFile(**file) for kind, file in values['files'].items()}
        arrays = {kind: (start, tuple(shape), dtype) for kind, (start, shape, dtype) in values['arrays'].items()}
        factor = values['scale_factor']
        return cls(
            **{name: values[name] for name in ('shard', 'start', 'size', 'crc32')},
            files=files,
            arrays=arrays,
            ori_shape=tuple(values['ori_shape']),
            scale_factor=None if factor is None else tuple(factor),
        )


@dataclass
class PackIndex:
    """A pack's contents.

    Attributes:
        settings: what the arrays follow from, see ``PackPlan``.
        images: how many belong to it.
        entries: by the image's path below the image folder; in an unfinished pack fewer than ``images``.
    """

    settings: Settings
    images: int
    entries: dict[str, Entry]

    @classmethod
    def read(cls, folder: str | Path, unfinished: bool = False) -> PackIndex | None:
        """The index of a folder, finished or unfinished; None if there is none.

        Raises:
            ValueError: the file is broken, or of another format.
        """
        path = Path(folder) / (UNFINISHED_FILE if unfinished else INDEX_FILE)
        try:
            lines = path.read_text(encoding='utf-8').split('\n')
        except FileNotFoundError:
            return None
        lines.pop()  # empty, or cut off when packing was interrupted
        try:
            head = json.loads(lines[0])
            version = head['format']
            entries = [Entry.from_line(line) for line in lines[1:]] if version == FORMAT else []
        except (IndexError, KeyError, TypeError, json.JSONDecodeError):
            if unfinished and not lines:
                return None  # interrupted before the first line was whole
            raise ValueError(f'{path} is no index of a pack, or broken: pack again with --overwrite') from None
        if version != FORMAT:
            raise ValueError(f'{path} has format {version}, expected {FORMAT}: pack again with --overwrite')
        return cls(head['settings'], head['images'], {entry.files['image'].name: entry for entry in entries})

    def head_line(self) -> str:
        """The first line of the file."""
        return json.dumps({'format': FORMAT, 'images': self.images, 'settings': self.settings}) + '\n'

    def write(self, folder: str | Path) -> None:
        """Write the finished index: whole, or not at all."""
        path = Path(folder) / INDEX_FILE
        temporary = path.with_name(f'.{path.name}.{os.getpid()}')
        lines = [self.head_line(), *(entry.to_line() for entry in self.entries.values())]
        temporary.write_text(''.join(lines), encoding='utf-8')
        temporary.replace(path)

    def shard_sizes(self) -> dict[int, int]:
        """Bytes of each data file."""
        sizes: dict[int, int] = {}
        for entry in self.entries.values():
            sizes[entry.shard] = max(sizes.get(entry.shard, 0), entry.start + entry.size)
        return sizes


def shard_path(folder: str | Path, number: int) -> Path:
    """A data file of a pack."""
    return Path(folder) / SHARD_FILE.format(number)


def fingerprint(path: str | Path, name: str) -> SourceFile:
    """A file as it is now."""
    status = os.stat(path)
    return SourceFile(name, status.st_size, status.st_mtime_ns, zlib.crc32(Path(path).read_bytes()))


def changed_files(pairs: Iterable[tuple[SourceFile, str]]) -> tuple[list[str], int]:
    """Which files differ from what was packed.

    Those of the same size and another date are read and compared by content.

    Args:
        pairs: a file as it was packed, and its path now.

    Returns:
        Paths that changed or do not exist, and how many have another date but the same content.
    """
    changed, dated = [], 0
    for packed, path in pairs:
        try:
            status = os.stat(path)
        except FileNotFoundError:
            changed.append(path)
            continue
        if status.st_size != packed.size:
            changed.append(path)
        elif status.st_mtime_ns != packed.mtime_ns:
            if zlib.crc32(Path(path).read_bytes()) == packed.crc32:
                dated += 1
            else:
                changed.append(path)
    return changed, dated
