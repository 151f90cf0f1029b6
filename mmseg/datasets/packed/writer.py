"""Making a pack: files are read in several processes, arrays appended to large files, each noted in the index."""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmseg.datasets.packed.appender import Appender, Loaded, joined
from mmseg.datasets.packed.index import (
    UNFINISHED_FILE,
    PackIndex,
    changed_files,
    fingerprint,
    shard_path,
)
from mmseg.datasets.packed.settings import ARRAYS, PackPlan, differences
from mmseg.datasets.parallel import map_in_order
from mmseg.datasets.transforms.base import Compose

if TYPE_CHECKING:
    from mmseg.datasets.base_dataset import BaseSegDataset

MEASURED = 5  # images whose size tells that of all


@dataclass
class PackReport:
    """What packing a dataset came to.

    Attributes:
        images: in the pack.
        written: of these in this run.
        size: of the data files in bytes.
        broken: what was wrong with files that could not be read; then the pack is not finished.
    """

    images: int = 0
    written: int = 0
    size: int = 0
    broken: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Image:
    record: dict[str, Any]
    files: dict[str, tuple[str, str]]


def pack(
    dataset: BaseSegDataset,
    folder: str | Path,
    nproc: int = 1,
    shard_bytes: int = 8 * 2**30,
    overwrite: bool = False,
    announce: Callable[[str], None] = print,
    progress: Callable[[Iterable[Any], int], Iterable[Any]] = lambda items, total: items,
) -> PackReport:
    """Pack a dataset into a folder, or go on where an earlier run was interrupted.

    Args:
        dataset: with its pipeline as in training, not packed itself.
        folder: of this pack alone.
        nproc: processes that read and resize.
        shard_bytes: a data file is not made larger, unless by a single image.
        overwrite: remove an older pack that has other settings or files.
        announce: gets a line about size and space before anything is written.
        progress: wraps the images that are yet to be packed, to show how many are done.

    Raises:
        ValueError: another pack is there, or the disk is too small.
    """
    folder, plan = Path(folder), PackPlan.of(dataset)
    if overwrite:
        _remove(folder)
    done = _finished(folder, dataset, plan)
    if done is not None:
        announce(f'{folder}: up to date, {len(done.entries)} images')
        return PackReport(len(done.entries), 0, sum(done.shard_sizes().values()))
    begun = PackIndex.read(folder, unfinished=True) or PackIndex(plan.settings, len(dataset), {})
    _check(folder, dataset, plan, begun)
    left = [number for number, name in enumerate(dataset.img_names) if name not in begun.entries]
    images = [_Image(dataset.record(number), _names_and_paths(dataset, number, plan)) for number in left]
    load = partial(_load, Compose(dataset.pipeline.transforms[: plan.steps]), plan.settings)
    _announce_size(folder, len(dataset), images, load, announce)
    folder.mkdir(parents=True, exist_ok=True)

    report = PackReport(len(begun.entries))
    with Appender(folder, begun, shard_bytes) as appender:
        for loaded in progress(map_in_order(load, images, nproc), len(images)):
            if isinstance(loaded, str):
                report.broken.append(loaded)
            else:
                appender.add(loaded)
                report.written += 1
    report.images += report.written
    report.size = sum(begun.shard_sizes().values())
    if not report.broken:
        begun.write(folder)
        (folder / UNFINISHED_FILE).unlink()
    return report


def verify(folder: str | Path) -> Iterator[str]:
    """Names of the images whose bytes in a pack are not those that were written."""
    index = PackIndex.read(folder)
    if index is None:
        raise FileNotFoundError(f'{folder} is no finished pack')
    for name, entry in index.entries.items():
        with shard_path(folder, entry.shard).open('rb') as file:
            file.seek(entry.start)
            content = file.read(entry.size)
        if len(content) < entry.size or zlib.crc32(content) != entry.crc32:
            yield name


def _load(steps: Compose, settings: dict[str, Any], image: _Image) -> Loaded | str:
    """A file's arrays, or what is wrong with it."""
    try:
        files = {kind: fingerprint(path, name) for kind, (name, path) in image.files.items()}
        results = steps(dict(image.record))
    except (ValueError, OSError) as error:
        return str(error)
    arrays = {kind: np.ascontiguousarray(results[ARRAYS[kind]]) for kind in settings}
    if 'depth' in arrays:
        arrays['depth'] = arrays['depth'].astype(settings['depth']['dtype'])
    return Loaded(arrays, files, tuple(results['ori_shape']), results.get('scale_factor'))


def _names_and_paths(dataset: BaseSegDataset, number: int, plan: PackPlan) -> dict[str, tuple[str, str]]:
    names = {'image': dataset.img_names, 'label': dataset.label_names, 'depth': dataset.depth_names}
    return {kind: (names[kind][number], path) for kind, path in dataset.source_files(number, plan.settings).items()}


def _finished(folder: Path, dataset: BaseSegDataset, plan: PackPlan) -> PackIndex | None:
    """The finished pack of the folder if it is one of this dataset; new dates of unchanged files are noted."""
    index = PackIndex.read(folder)
    if index is None:
        return None
    _check(folder, dataset, plan, index)
    lacking = [name for name in dataset.img_names if name not in index.entries]
    if lacking:
        raise ValueError(f'{folder} lacks {len(lacking)} images, e.g. {lacking[0]}: pack again with --overwrite')
    numbers = {name: number for number, name in enumerate(dataset.img_names)}
    for name, entry in index.entries.items():
        if name in numbers:
            paths = dataset.source_files(numbers[name], plan.settings)
            dates = {
                kind: replace(entry.files[kind], mtime_ns=os.stat(path).st_mtime_ns) for kind, path in paths.items()
            }
            index.entries[name] = replace(entry, files={**entry.files, **dates})
    index.write(folder)
    return index


def _check(folder: Path, dataset: BaseSegDataset, plan: PackPlan, index: PackIndex) -> None:
    """What is in the folder must be of these settings and files."""
    if found := differences(plan.settings, index.settings):
        raise ValueError(f'{folder} holds another pack ({"; ".join(found)}): another --out, or --overwrite')
    numbers = {name: number for number, name in enumerate(dataset.img_names)}
    changed, _ = changed_files(
        (entry.files[kind], path)
        for name, entry in index.entries.items()
        if name in numbers
        for kind, path in dataset.source_files(numbers[name], plan.settings).items()
    )
    if changed:
        raise ValueError(f'{folder}: {len(changed)} files changed since packing, e.g. {changed[0]}: --overwrite')


def _announce_size(
    folder: Path,
    total: int,
    left: Sequence[_Image],
    load: Callable[[_Image], Loaded | str],
    announce: Callable[[str], None],
) -> None:
    step = max(1, len(left) // MEASURED)
    loaded = [item for item in map(load, left[::step][:MEASURED]) if not isinstance(item, str)]
    each = sum(len(joined(item.arrays)[0]) for item in loaded) / max(len(loaded), 1)
    needed = each * len(left)
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    rest = '' if len(left) == total else f' ({total - len(left)} are packed already)'
    announce(
        f'{folder}: {len(left)} images{rest}, about {needed / 2**30:.2f} GiB; {free / 2**30:.1f} GiB of disk are free'
    )
    if needed > free:
        raise ValueError(f'{folder}: the disk is too small, {needed / 2**30:.1f} GiB are needed: another --out')


def _remove(folder: Path) -> None:
    for path in [*folder.glob('data_*.bin'), *folder.glob('index.jsonl*')]:
        path.unlink()
