"""Arrays of images appended to a pack's data files, and noted in its index."""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from mmseg.datasets.packed.index import UNFINISHED_FILE, Entry, PackIndex, SourceFile, shard_path

ALIGNMENT = 64  # bytes; arrays start at multiples


@dataclass(frozen=True)
class Loaded:
    """The arrays of an image, the files they were made from, and the facts of its sample."""

    arrays: dict[str, np.ndarray]
    files: dict[str, SourceFile]
    ori_shape: tuple[int, int]
    scale_factor: tuple[float, float] | None


class Appender:
    """Appends images to the data files and the index of a pack; what is noted in the index is whole."""

    def __init__(self, folder: Path, index: PackIndex, shard_bytes: int) -> None:
        self.folder, self.index, self.shard_bytes = folder, index, shard_bytes
        sizes = index.shard_sizes()
        self.number = max(sizes, default=0)
        self.place = sizes.get(self.number, 0)

    def __enter__(self) -> Appender:
        path = self.folder / UNFINISHED_FILE
        # Written anew: the last line may be cut off.
        temporary = path.with_name(f'.{path.name}')
        lines = [self.index.head_line(), *(entry.to_line() for entry in self.index.entries.values())]
        temporary.write_text(''.join(lines), encoding='utf-8')
        temporary.replace(path)
        self.notes = path.open('a', encoding='utf-8')
        self.data = self._open()
        return self

    def __exit__(self, *error: Any) -> None:
        self._close()
        self.notes.close()

    def _open(self) -> BinaryIO:
        path = shard_path(self.folder, self.number)
        file = path.open('r+b' if path.exists() else 'w+b')
        # Behind the last noted image lies at most a part of one.
        file.truncate(self.place)
        file.seek(self.place)
        return file

    def _close(self) -> None:
        self.data.flush()
        os.fsync(self.data.fileno())
        self.data.close()

    def add(self, loaded: Loaded) -> None:
        """Append an image."""
        content, arrays = joined(loaded.arrays)
        if self.place and self.place + len(content) > self.shard_bytes:
            self._close()
            self.number, self.place = self.number + 1, 0
            self.data = self._open()
        self.data.write(content)
        self.data.flush()
        entry = Entry(
            loaded.files,
            self.number,
            self.place,
            len(content),
            zlib.crc32(content),
            arrays,
            loaded.ori_shape,
            loaded.scale_factor,
        )
        self.notes.write(entry.to_line())
        self.notes.flush()
        self.index.entries[entry.files['image'].name] = entry
        self.place += len(content)


def joined(arrays: dict[str, np.ndarray]) -> tuple[bytes, dict[str, tuple[int, tuple[int, ...], str]]]:
    """Arrays one behind the other, each at a multiple of the alignment, and where they lie."""
    parts, places, place = [], {}, 0
    for kind, array in arrays.items():
        places[kind] = (place, array.shape, str(array.dtype))
        padding = -array.nbytes % ALIGNMENT
        parts += [array.tobytes(), bytes(padding)]
        place += array.nbytes + padding
    return b''.join(parts), places
