"""Tiles with captions, and class legends, on a white page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mmseg.visualization.palette import Palette

INK = (32, 36, 42)
PALE_INK = (112, 118, 128)
BORDER = (214, 218, 224)
PAPER = (255, 255, 255)
GAP = 12
MARGIN = 20


@dataclass(frozen=True)
class Tile:
    """A picture and what is written above it.

    Attributes:
        picture: (H, W, 3) uint8 RGB.
        title: above the picture, at the left.
        note: at the right of the title, pale.
        categorical: it shows classes or marks, so it is enlarged without smoothing.
    """

    picture: np.ndarray
    title: str = ''
    note: str = ''
    categorical: bool = False


@dataclass
class Page:
    """Blocks of equal width, one below the other."""

    width: int
    blocks: list[Image.Image] = field(default_factory=list)

    def add_heading(self, text: str, size: int = 22) -> None:
        block = Image.new('RGB', (self.width, round(size * 1.5)), PAPER)
        ImageDraw.Draw(block).text((0, 0), text, fill=INK, font=ImageFont.load_default(size))
        self.blocks.append(block)

    def add_lines(self, lines: Sequence[str], size: int = 15) -> None:
        """Small text, each line cut at the page's width."""
        font, line = ImageFont.load_default(size), round(size * 1.4)
        block = Image.new('RGB', (self.width, line * len(lines)), PAPER)
        for number, text in enumerate(lines):
            ImageDraw.Draw(block).text((0, number * line), shorten(text, font, self.width), fill=INK, font=font)
        self.blocks.append(block)

    def add_row(self, tiles: Sequence[Tile], columns: int) -> None:
        """Tiles side by side, as wide as ``columns`` of them need to be to fill the page."""
        width = tile_width(self.width, columns)
        drawn = [_draw_tile(tile, width) for tile in tiles]
        block = Image.new('RGB', (self.width, max(tile.height for tile in drawn)), PAPER)
        for column, tile in enumerate(drawn):
            # Aligned at the bottom: pictures with and without a caption then stand at one height.
            block.paste(tile, (column * (width + GAP), block.height - tile.height))
        self.blocks.append(block)

    def add_rule(self) -> None:
        """A thin line across the page."""
        self.blocks.append(Image.new('RGB', (self.width, 1), BORDER))

    def add_legend(self, classes: Sequence[str], palette: Palette, size: int = 15) -> None:
        """Colour and name of each class, and of ignored pixels, in as many lines as needed."""
        entries = [*zip(classes, palette, strict=True), ('ignored', (0, 0, 0))]
        font = ImageFont.load_default(size)
        swatch, line, column_gap = size + 3, round(size * 1.9), round(size * 1.4)
        places, x, y = [], 0, 0
        for name, _ in entries:
            entry = swatch + 6 + round(font.getlength(name))
            if x and x + entry > self.width:
                x, y = 0, y + line
            places.append((x, y))
            x += entry + column_gap
        block = Image.new('RGB', (self.width, y + line), PAPER)
        draw = ImageDraw.Draw(block)
        for (x, y), (name, colour) in zip(places, entries, strict=True):
            draw.rounded_rectangle((x, y + 2, x + swatch, y + 2 + size), radius=3, fill=tuple(colour), outline=BORDER)
            draw.text((x + swatch + 6, y + 2 + size / 2), name, fill=INK, font=font, anchor='lm')
        self.blocks.append(block)

    def render(self) -> np.ndarray:
        """The page with its margins, (H, W, 3) uint8 RGB."""
        height = sum(block.height for block in self.blocks) + GAP * (len(self.blocks) - 1)
        page = Image.new('RGB', (self.width + 2 * MARGIN, height + 2 * MARGIN), PAPER)
        y = MARGIN
        for block in self.blocks:
            page.paste(block, (MARGIN, y))
            y += block.height + GAP
        return np.asarray(page).copy()


def tile_width(page_width: int, columns: int) -> int:
    return (page_width - GAP * (columns - 1)) // columns


def page_width(tile: int, columns: int) -> int:
    return tile * columns + GAP * (columns - 1)


def _draw_tile(tile: Tile, width: int) -> Image.Image:
    picture = fit_width(tile.picture, width, tile.categorical)
    size = 17 if width >= 240 else 13
    title_font, note_font = ImageFont.load_default(size), ImageFont.load_default(size - 2)
    note = shorten(tile.note, note_font, width // 2)
    title = shorten(tile.title, title_font, width - round(note_font.getlength(note)) - size // 2)
    caption = round(size * 1.5) if title or note else 0
    block = Image.new('RGB', (width, picture.shape[0] + caption), PAPER)
    draw = ImageDraw.Draw(block)
    draw.text((0, size), title, fill=INK, font=title_font, anchor='ls')
    draw.text((width, size), note, fill=PALE_INK, font=note_font, anchor='rs')
    block.paste(Image.fromarray(picture), (0, caption))
    draw.rectangle((0, caption, width - 1, block.height - 1), outline=BORDER)
    return block


def fit_width(picture: np.ndarray, width: int, categorical: bool) -> np.ndarray:
    """Resize to a width, keeping the aspect ratio."""
    picture = np.ascontiguousarray(picture)
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    if width < picture.shape[1]:
        return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_NEAREST if categorical else cv2.INTER_CUBIC)


def shorten(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """Cut a text that is wider than ``width`` pixels."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + '...') > width:
        text = text[:-1]
    return text + '...'
