"""Qualitative results: images, ground truth and predictions of several networks side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmseg.visualization.layout import Page, Tile, page_width
from mmseg.visualization.palette import Palette, colorize


def qualitative_sheet(
    rows: Sequence[Sequence[np.ndarray]],
    titles: Sequence[str],
    palette: Palette,
    classes: Sequence[str] | None = None,
    notes: Sequence[str] | None = None,
    heading: str = '',
    tile_width: int = 480,
) -> np.ndarray:
    """A table of pictures: one row per image; one column each for the image, its ground truth and the predictions.

    Args:
        rows: of (H, W, 3) uint8 RGB images and (H, W) label maps, in the order of ``titles``.
        titles: of the columns.
        palette: RGB of each class.
        classes: names for the legend below.
        notes: at the right of each title, such as the mIoU.
        heading: above all.
        tile_width: of one picture, in pixels.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: no rows, or a row with another number of pictures than titles.
    """
    if not rows:
        raise ValueError('a sheet needs at least one row')
    page = Page(page_width(tile_width, len(titles)))
    if heading:
        page.add_heading(heading)
    captions = list(zip(titles, notes or [''] * len(titles), strict=True))
    for number, row in enumerate(rows):
        if len(row) != len(titles):
            raise ValueError(f'row {number} of the sheet has {len(row)} pictures for {len(titles)} titles')
        tiles = [_tile(picture, palette, *caption) for picture, caption in zip(row, captions, strict=True)]
        page.add_row(tiles, len(titles))
        captions = [('', '')] * len(titles)
    if classes:
        page.add_legend(classes, palette)
    return page.render()


def _tile(picture: np.ndarray, palette: Palette, title: str, note: str) -> Tile:
    if picture.ndim == 2:
        return Tile(colorize(picture, palette), title, note, categorical=True)
    return Tile(picture, title, note)
