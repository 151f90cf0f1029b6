"""What a training step sees, as one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from mmseg.visualization.layout import Page, Tile, page_width
from mmseg.visualization.palette import Palette, colorize

COLUMNS = 4


def denormalize(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> np.ndarray:
    """Undo the data preprocessor's normalisation.

    Args:
        images: (B, 3, H, W) normalised RGB.
        mean, std: of the three channels, in grey levels 0..255.

    Returns:
        (B, H, W, 3) uint8 RGB.
    """
    images = images.detach().float().cpu()
    scale, shift = torch.tensor(std).view(3, 1, 1), torch.tensor(mean).view(3, 1, 1)
    levels = (images * scale + shift).round().clamp(0, 255)
    return levels.to(torch.uint8).permute(0, 2, 3, 1).numpy()


def heat_map(values: np.ndarray) -> np.ndarray:
    """(H, W) numbers from 0 (dark) to 1 (bright) as (H, W, 3) uint8 RGB."""
    levels = np.rint(np.clip(np.nan_to_num(values), 0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS)[..., ::-1])


def training_panel(
    panel: Mapping[str, Tensor],
    mean: Sequence[float],
    std: Sequence[float],
    palette: Palette,
    classes: Sequence[str] | None = None,
    title: str = '',
    tile_width: int = 320,
    captions: Sequence[Sequence[str]] | None = None,
    opacity: float = 1.0,
) -> np.ndarray:
    """All tensors of a step side by side, for each image of the batch; maps stay beside the image before them.

    A tensor's form says how it is drawn: (B, 3, H, W) float is a normalised image, (B, H, W) integer a label map,
    (B, H, W) float or bool a weight, drawn as a heat map with its mean in the caption.

    Args:
        panel: tensors by name, in the order of drawing; underscores in names are shown as spaces.
        mean, std: of the normalisation.
        palette: RGB of each class.
        classes: names for a legend.
        title: heading.
        tile_width: of one picture, in pixels.
        captions: lines of text above each image of the batch.
        opacity: of label maps, which are laid over the last image before them; 1 shows their colours alone.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: nothing to draw, or a tensor of another form.
    """
    if not panel:
        raise ValueError('a training panel needs at least one tensor')
    rows = list(zip(*_columns(panel, _Style(mean, std, palette, opacity)), strict=False))
    places = page_rows([_is_image(tensor) for tensor in panel.values()], COLUMNS)
    columns = max(len(row) for row in places)
    page = Page(page_width(tile_width, columns))
    if title:
        page.add_heading(title)
    for number, tiles in enumerate(rows):
        if number:
            page.add_rule()
        if captions is not None:
            page.add_lines(captions[number])
        for row in places:
            page.add_row([tiles[place] for place in row], columns)
    if classes:
        page.add_legend(classes, palette)
    return page.render()


def page_rows(starts: Sequence[bool], columns: int) -> list[list[int]]:
    """Which tiles stand side by side: an image and the maps that follow it stay together where they fit.

    Args:
        starts: for each tile, whether it is an image and so starts a group.
        columns: most tiles in a row.

    Returns:
        numbers of tiles, row by row.
    """
    groups: list[list[int]] = []
    for number, start in enumerate(starts):
        if start or not groups:
            groups.append([])
        groups[-1].append(number)
    rows: list[list[int]] = []
    for group in groups:
        if rows and len(rows[-1]) + len(group) <= columns:
            rows[-1] += group
        else:
            rows += [group[i : i + columns] for i in range(0, len(group), columns)]
    return rows


@dataclass(frozen=True)
class _Style:
    """How a panel's tensors are drawn; see :func:`training_panel`."""

    mean: Sequence[float]
    std: Sequence[float]
    palette: Palette
    opacity: float


def _columns(panel: Mapping[str, Tensor], style: _Style) -> list[list[Tile]]:
    """Each tensor's tiles, one per image of the batch."""
    columns: list[list[Tile]] = []
    images: list[np.ndarray] = []
    for name, tensor in panel.items():
        columns.append(_tiles(name, tensor, style, images))
        if _is_image(tensor):
            images = [tile.picture for tile in columns[-1]]
    return columns


def _is_image(tensor: Tensor) -> bool:
    return tensor.ndim == 4 and tensor.shape[1] == 3 and tensor.is_floating_point()


def _tiles(name: str, tensor: Tensor, style: _Style, beneath: Sequence[np.ndarray]) -> list[Tile]:
    title = name.replace('_', ' ').capitalize()
    if _is_image(tensor):
        return [Tile(image, title) for image in denormalize(tensor, style.mean, style.std)]
    if tensor.ndim == 4 and tensor.shape[1] == 1:
        tensor = tensor[:, 0]
    if tensor.ndim != 3:
        raise ValueError(f'panel entry {name!r} has shape {tuple(tensor.shape)}; expected (B, 3, H, W) or (B, H, W)')
    if tensor.is_floating_point() or tensor.dtype == torch.bool:
        weights = tensor.detach().float().cpu().numpy()
        return [Tile(heat_map(weight), title, f'mean {weight.mean():.3f}', True) for weight in weights]
    colours = [colorize(label, style.palette) for label in tensor.detach().cpu().numpy()]
    if style.opacity < 1 and len(beneath) == len(colours) and beneath[0].shape == colours[0].shape:
        share = style.opacity
        # Ignored pixels are darkened, as the legend's black says.
        colours = [
            cv2.addWeighted(ours, share, image, 1 - share, 0) for ours, image in zip(colours, beneath, strict=True)
        ]
    return [Tile(colour, title, categorical=True) for colour in colours]
