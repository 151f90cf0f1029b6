"""Which files of a dataset a statistics file speaks of: it names them by paths with any leading folders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath


class FileLookup:
    """Finds a dataset's index for a file's path, whatever folders it begins with.

    Args:
        names: of the dataset's files, relative to their folder.
    """

    def __init__(self, names: Sequence[str]):
        self._index = {name: index for index, name in enumerate(names)}
        self._depths = sorted({name.count('/') + 1 for name in names}, reverse=True)
        basenames = [PurePosixPath(name).name for name in names]
        # A statistics file that was written relative to another folder still matches where base names are unique.
        self._by_basename = (
            {name: i for i, name in enumerate(basenames)} if len(set(basenames)) == len(basenames) else {}
        )

    def __call__(self, path: str) -> int | None:
        """Index of the file, None if the dataset has it not."""
        parts = _parts(path)
        for depth in self._depths:
            index = self._index.get('/'.join(parts[-depth:]))
            if index is not None:
                return index
        return self._by_basename.get(parts[-1])


def listed_files(paths: Iterable[str], names: Sequence[str], folder: str, listing: str) -> dict[str, int]:
    """The paths of a statistics file that are a dataset's files, and their indices.

    A name may be listed several times, as ``labels/train/0001.png`` and ``labels/val/0001.png``. Of these, that path
    is meant which ends with the most folders of the dataset.

    Args:
        paths: as the statistics file spells them; repetitions do not matter.
        names: of the dataset's files, relative to ``folder``.
        folder: of the dataset's files.
        listing: the statistics file, for messages.

    Raises:
        ValueError: two paths fit one file alike.
    """
    lookup = FileLookup(names)
    fitting: dict[int, dict[str, int]] = {}
    for path in dict.fromkeys(paths):
        index = lookup(path)
        if index is not None:
            fitting.setdefault(index, {})[path] = _common_tail(path, f'{folder}/{names[index]}')
    found = {}
    for index, tails in fitting.items():
        best = [path for path, length in tails.items() if length == max(tails.values())]
        if len(best) > 1:
            raise ValueError(
                f'{listing}: {best[0]} and {best[1]} may both be {names[index]} in {folder}; make these statistics '
                'anew (the converter, or tools/dataset_statistics.py)'
            )
        found[best[0]] = index
    return found


def _common_tail(path: str, other: str) -> int:
    """Number of last parts that two paths share."""
    pairs = zip(reversed(_parts(path)), reversed(_parts(other)), strict=False)
    length = 0
    for one, two in pairs:
        if one != two:
            break
        length += 1
    return length


def _parts(path: str) -> list[str]:
    return path.replace('\\', '/').split('/')
