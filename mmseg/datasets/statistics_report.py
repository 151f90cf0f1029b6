"""Dataset statistics as tables and sentences."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.datasets.statistics import Finding, ids_in_files
from mmseg.datasets.statistics_classes import (
    CLASS_TEMPS,
    PUBLISHED_MIN_PIXELS,
    ClassCounts,
    count_classes,
    sampling_probabilities,
    suggest_class_temp,
    suggest_min_pixels,
)
from mmseg.structures import IGNORE

SIZES_SHOWN = 4
# More than this share of ignored pixels is named where a class is missing: 255 may be that class.
MUCH = 0.02


def report(
    dataset: BaseSegDataset, findings: Sequence[Finding], sampling: Mapping[str, Any]
) -> tuple[str, list[str], str]:
    """What a dataset holds.

    Args:
        dataset: the dataset.
        findings: its usable files.
        sampling: settings of rare class sampling that it shall be trained with; missing ones are the published.

    Returns:
        Tables, warnings, and settings that fit.
    """
    counts = count_classes(findings, dataset)
    settings = int(sampling.get('min_pixels', PUBLISHED_MIN_PIXELS)), float(sampling.get('class_temp', CLASS_TEMPS[0]))
    fitting = suggest_min_pixels(counts, _typical_area(findings)), suggest_class_temp(counts)
    parts = [f'{len(findings):,} images with label maps; {sizes_line(findings)}']
    if dataset.label_map is not None:
        parts += [
            'Ids in the files, and what label_map makes of them:',
            id_table(ids_in_files(findings, dataset), dataset),
        ]
    parts.append(class_table(counts, *settings))
    parts.append(f'ignored: {100 * counts.ignored_share:.2f} % of all pixels; shares are of the others')
    advice = f'fits this dataset: rare_class_sampling=dict(min_pixels={fitting[0]}, class_temp={fitting[1]:g})'
    return '\n'.join(parts), warnings(counts, *settings, *fitting), advice


def class_table(counts: ClassCounts, min_pixels: int, class_temp: float) -> str:
    """One line per class: how often it occurs, and how rare class sampling would treat it."""
    drawn = sampling_probabilities(counts, class_temp)
    table = Table(box=box.ROUNDED)
    for name in ('id', 'class', 'share %', 'images', 'median pixels', 'most pixels', f'images > {min_pixels}', 'RCS %'):
        table.add_column(name, justify='left' if name == 'class' else 'right')
    columns = (counts.shares, counts.images, counts.medians, counts.largest, counts.candidates(min_pixels))
    for i, (share, images, median, largest, candidates) in enumerate(zip(*columns, strict=True)):
        probability = f'{100 * drawn[i]:.1f}' if counts.totals[i] else '-'
        cells = (str(i), counts.names[i], _percent(share), f'{images:,}', f'{median:,.0f}', f'{largest:,}')
        table.add_row(*cells, f'{candidates:,}', probability)
    return _text(table)


def id_table(ids: dict[int, int], dataset: BaseSegDataset) -> str:
    """One line per id of the files and the class that ``label_map`` makes of it."""
    names = dataset.METAINFO.get('classes', ())
    table = Table(box=box.ROUNDED)
    for name in ('id', 'in the files', 'share %', 'becomes'):
        table.add_column(name, justify='right' if name in ('id', 'share %') else 'left')
    total = max(sum(ids.values()), 1)
    for label_id, pixels in ids.items():
        train_id = int(dataset.label_map.table[label_id])
        target = 'ignore' if train_id == IGNORE else dataset.metainfo['classes'][train_id]
        name = names[label_id] if label_id < len(names) else '-'
        table.add_row(str(label_id), name, _percent(pixels / total), target)
    return _text(table)


def sizes_line(findings: Sequence[Finding]) -> str:
    """Sizes of the images, the commonest first."""
    sizes = Counter(finding.size for finding in findings).most_common()
    shown = [f'{width}x{height} ({count:,})' for (width, height), count in sizes[:SIZES_SHOWN]]
    rest = len(sizes) - SIZES_SHOWN
    return 'sizes (images): ' + ', '.join(shown) + (f' and {rest} other sizes' if rest > 0 else '')


def warnings(
    counts: ClassCounts, min_pixels: int, class_temp: float, suggested_pixels: int, suggested_temp: float
) -> list[str]:
    """What is worth knowing before training: classes that do not occur or that rare class sampling cannot serve."""
    found = []
    if counts.absent:
        verb = 'occur' if len(counts.absent) > 1 else 'occurs'
        text = f'{_names(counts.absent)} {verb} in no label map: no network can learn that'
        if counts.ignored_share > MUCH:
            text += (
                f' ({_percent(counts.ignored_share)} % of the pixels are 255 or ignore_index; if that is a class here, '
                f"say so in the config: label_map={{..., 255: '{counts.absent[0]}'}})"
            )
        found.append(text)
    for name, largest in zip(counts.names, counts.largest, strict=True):
        if 0 < largest <= min_pixels:
            found.append(
                f'no image has more than {min_pixels} pixels of {name!r}, the largest has {largest:,}: '
                f'lower rare_class_sampling.min_pixels to {suggested_pixels}'
            )
    drawn = sampling_probabilities(counts, class_temp)
    if class_temp < suggested_temp:
        found.append(
            f'at class_temp={class_temp:g} rare class sampling draws {counts.names[drawn.argmax()]!r} in '
            f'{100 * drawn.max():.0f} % of the samples: raise rare_class_sampling.class_temp to {suggested_temp:g}'
        )
    empty = int((counts.pixels.sum(axis=1) == 0).sum())
    if empty:
        found.append(f'{empty} of {len(counts.pixels)} label maps hold nothing but ignored pixels')
    return found


def examples(names: Iterable[str], count: int = 3) -> str:
    """The first names, and that there are more."""
    names = sorted(names)
    return ', '.join(names[:count]) + (', ...' if len(names) > count else '')


def _typical_area(findings: Sequence[Finding]) -> float:
    """Median number of pixels of an image."""
    return float(np.median([width * height for width, height in (finding.size for finding in findings)]))


def _names(names: Sequence[str]) -> str:
    return ', '.join(map(repr, names))


def _percent(share: float) -> str:
    percent = 100 * share
    return f'{percent:.2f}' if percent >= 0.01 or percent == 0 else f'{percent:.0e}'


def _text(table: Table) -> str:
    # Wide enough for any table: log files and pipes have no terminal width to wrap at.
    console = Console(file=io.StringIO(), width=200, color_system=None, force_terminal=False)
    console.print(table)
    return console.file.getvalue().rstrip('\n')
