"""The figures of a benchmark, from its records: the gap that methods close, and what they predict."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from mmseg.experiments.benchmark.pictures import IMAGES, TRUTH
from mmseg.experiments.benchmark.rows import GROUPS
from mmseg.experiments.benchmark.scores import Results, lines
from mmseg.visualization.bars import Bar, bars_figure
from mmseg.visualization.layout import Page, Tile
from mmseg.visualization.palette import save_png

ADAPTING = ('method', 'combination')


def write_gap_figure(results: Results, path: Path) -> bool:
    """A bar per method: the share of the gap that it closes; False if no gap is known yet."""
    shown = [line for line in lines(results.benchmark) if line.test or line.row.group in ADAPTING]
    bars = [
        Bar(line.title, list(results.closed(line).values()), GROUPS[line.row.group], results.missing(line))
        for line in shown
    ]
    if not any(bar.values for bar in bars):
        return False
    unit = 'share of the gap from source-only to oracle that is closed, in %'
    figure = bars_figure(bars, results.benchmark.title, unit)
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=100, facecolor='white')
    _save(Image.open(drawn).convert('RGB'), path)
    return True


def write_sheet(results: Results, folder: Path, path: Path) -> bool:
    """The kept pictures of all rows below each other; False if there are none.

    Args:
        results: what was run.
        folder: of the records.
        path: of the sheet.

    Raises:
        FileNotFoundError: a picture that a record names is gone.
    """
    kept = [record for row in results.benchmark.rows for record in results.of(row.name) if record.picture]
    if not kept:
        return False
    truth = _opened(folder / TRUTH)
    page = Page(truth.width)
    page.add_heading(results.benchmark.title)
    page.add_row([Tile(_rgb(folder / IMAGES), 'images of the test set')], 1)
    page.add_row([Tile(np.asarray(truth.convert('RGB')), 'ground truth', categorical=True)], 1)
    for record in kept:
        title = results.benchmark.row(record.row).title
        note = f'mIoU {record.score():.1f}, seed {record.seed}'
        page.add_row([Tile(_rgb(folder / record.picture), title, note, categorical=True)], 1)
    classes = list(kept[0].tests[kept[0].final].iou)
    colours = np.array(truth.getpalette() or [], np.uint8).reshape(-1, 3)[: len(classes)]
    page.add_legend(classes, colours.tolist())
    _save(Image.fromarray(page.render()), path)
    return True


def _save(image: Image.Image, path: Path) -> None:
    """As a PNG of 256 colours: label maps and charts have no more, and it takes a third of the space."""
    save_png(image.quantize(256, dither=Image.Dither.NONE), path)


def _opened(path: Path) -> Image.Image:
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such file; record the row again: python tools/record_results.py FOLDER')
    return Image.open(path)


def _rgb(path: Path) -> np.ndarray:
    return np.asarray(_opened(path).convert('RGB'))
