"""Whether a file or folder is still what it was."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fingerprint:
    """Of a file, or of all files below a folder.

    Attributes:
        stamp: digest of names, sizes and times of change: the same stamp means the same content.
        content: digest of names and contents; it takes reading everything.
    """

    stamp: str
    content: str

    @classmethod
    def of(cls, path: Path) -> Fingerprint:
        """The fingerprint of what is there now."""
        return cls(_stamp(path), _content(path))

    def matches(self, path: Path) -> bool:
        """Whether the content is still the same; it is only read where the times of change differ (a copy)."""
        return path.exists() and (_stamp(path) == self.stamp or _content(path) == self.content)

    def renewed(self, path: Path) -> Fingerprint:
        """The fingerprint of what is there now; nothing is read if this one still holds (banks have tens of GB)."""
        return self if _stamp(path) == self.stamp else Fingerprint.of(path)


def _stamp(path: Path) -> str:
    digest = hashlib.sha256()
    for name, file in _files(path):
        facts = file.stat()
        digest.update(f'{name}\0{facts.st_size}\0{facts.st_mtime_ns}\0'.encode())
    return digest.hexdigest()


def _content(path: Path) -> str:
    digest = hashlib.sha256()
    for name, file in _files(path):
        with file.open('rb') as stream:
            inside = hashlib.sha256()
            while chunk := stream.read(1 << 20):
                inside.update(chunk)
        digest.update(f'{name}\0{inside.hexdigest()}\0'.encode())
    return digest.hexdigest()


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    """Files with their names below ``path``; a file by itself has none, so that it may be renamed."""
    if path.is_file():
        yield '', path
        return
    for file in sorted(path.rglob('*')):
        if file.is_file():
            yield file.relative_to(path).as_posix(), file
