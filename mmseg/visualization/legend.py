"""Legends that are attached to a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mmseg.visualization.layout import BORDER, INK, PALE_INK, PAPER
from mmseg.visualization.palette import Palette

PLACES = ('auto', 'right', 'bottom')
SMALLEST_TEXT = 12
IGNORED = (0, 0, 0)


@dataclass(frozen=True)
class LegendEntry:
    """One class of a legend.

    Attributes:
        name: of the class.
        colour: RGB.
        note: pale, behind the name.
    """

    name: str
    colour: tuple[int, ...]
    note: str = ''


def all_classes(classes: Sequence[str], palette: Palette) -> list[LegendEntry]:
    """Every class, in the order of their ids."""
    return [LegendEntry(name, tuple(colour)) for name, colour in zip(classes, palette, strict=True)]


def present_classes(label: np.ndarray, classes: Sequence[str], palette: Palette) -> list[LegendEntry]:
    """The classes in a label map (H, W) and their shares of its area, largest first; pixels without a class last."""
    counts = np.bincount(np.asarray(label).ravel(), minlength=len(classes))
    order = sorted(np.flatnonzero(counts[: len(classes)]), key=lambda number: -counts[number])
    entries = [LegendEntry(classes[i], tuple(palette[i]), _percent(counts[i] / label.size)) for i in order]
    ignored = counts[len(classes) :].sum()
    return entries + ([LegendEntry('ignored', IGNORED, _percent(ignored / label.size))] if ignored else [])


def add_legend(picture: np.ndarray, entries: Sequence[LegendEntry], place: str = 'auto') -> np.ndarray:
    """A picture with its legend on white paper beside or below it; the text's size follows the picture's.

    Args:
        picture: (H, W, 3) uint8 RGB.
        entries: in the order of reading.
        place: ``right``, ``bottom``, or ``auto``: below wide pictures, at the right of high ones.

    Raises:
        ValueError: for another place.
    """
    if place not in PLACES:
        raise ValueError(f'legend {place!r}: there are {", ".join(PLACES)}')
    if not entries:
        return picture
    height, width = picture.shape[:2]
    grid = _Grid(entries, max(SMALLEST_TEXT, round(0.022 * math.sqrt(height * width))))
    if place == 'right' or (place == 'auto' and height > width):
        # Pictures of a few rows get a legend higher than they are, not one of a row.
        rows = min(len(entries), max(8, (height - 2 * grid.gap) // grid.line))
        block = grid.draw(math.ceil(len(entries) / rows), by_column=True)
        page = Image.new('RGB', (width + block.width, max(height, block.height)), PAPER)
        page.paste(block, (width, 0))
    else:
        columns = max(1, min(len(entries), (width - grid.gap) // grid.cell))
        rows = math.ceil(len(entries) / columns)
        if rows > 1:
            # Spread evenly: as few columns as these rows need, over the whole width.
            columns = math.ceil(len(entries) / rows)
            grid.cell = max(grid.cell, (width - grid.gap) // columns)
        block = grid.draw(columns, by_column=False)
        page = Image.new('RGB', (max(width, block.width), height + block.height), PAPER)
        page.paste(block, (0, height))
    page.paste(Image.fromarray(np.ascontiguousarray(picture)), (0, 0))
    return np.asarray(page).copy()


class _Grid:
    """Legend entries in columns of equal width."""

    def __init__(self, entries: Sequence[LegendEntry], size: int) -> None:
        self.entries, self.size = entries, size
        self.font, self.note_font = ImageFont.load_default(size), ImageFont.load_default(max(10, round(0.85 * size)))
        self.swatch, self.line, self.gap = round(1.1 * size), round(1.7 * size), round(0.8 * size)
        self.cell = max(map(self._width, entries)) + self.gap

    def _width(self, entry: LegendEntry) -> int:
        note = self.size // 2 + self.note_font.getlength(entry.note) if entry.note else 0
        return round(self.swatch + self.size // 2 + self.font.getlength(entry.name) + note)

    def draw(self, columns: int, by_column: bool) -> Image.Image:
        rows = math.ceil(len(self.entries) / columns)
        size = (self.gap + columns * self.cell, 2 * self.gap + rows * self.line)
        block = Image.new('RGB', size, PAPER)
        draw = ImageDraw.Draw(block)
        for number, entry in enumerate(self.entries):
            column, row = divmod(number, rows) if by_column else reversed(divmod(number, columns))
            self._draw_entry(draw, entry, self.gap + column * self.cell, self.gap + row * self.line + self.line // 2)
        return block

    def _draw_entry(self, draw: ImageDraw.ImageDraw, entry: LegendEntry, x: int, middle: int) -> None:
        top = middle - self.swatch // 2
        box = (x, top, x + self.swatch - 1, top + self.swatch - 1)
        draw.rounded_rectangle(box, radius=self.size // 5, fill=entry.colour, outline=BORDER)
        x += self.swatch + self.size // 2
        # Names stand on one baseline, whether or not their letters reach below it.
        baseline = middle + round(0.36 * self.size)
        draw.text((x, baseline), entry.name, fill=INK, font=self.font, anchor='ls')
        x += self.font.getlength(entry.name) + self.size // 2
        draw.text((x, baseline), entry.note, fill=PALE_INK, font=self.note_font, anchor='ls')


def _percent(share: float) -> str:
    return '<1%' if share < 0.01 else f'{100 * share:.0f}%'
