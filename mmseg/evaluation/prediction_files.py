"""Predictions as files: label ids for the benchmark servers, colours for the eye."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from mmseg.evaluation.classes import label_id_table
from mmseg.visualization.overlay import overlay
from mmseg.visualization.palette import Palette, save_palette_png, save_png


def write_ids(
    prediction: np.ndarray, image_path: str, folder: str | Path, classes: Sequence[str], to_label_id: bool = True
) -> Path:
    """Write ``<folder>/<image name>.png`` as the benchmark servers take it.

    Args:
        prediction: (H, W) train ids.
        classes: of the data set.
        to_label_id: write Cityscapes' label ids 7, 8, 11, ... (its server); otherwise train ids (ACDC, DarkZurich).

    Raises:
        ValueError: label ids for classes that are not Cityscapes'.
    """
    ids = np.asarray(prediction).astype(np.uint8)
    if to_label_id:
        ids = np.asarray(label_id_table(classes), np.uint8)[ids]
    path = Path(folder) / f'{Path(image_path).stem}.png'
    save_png(ids, path)
    return path


def write_picture(
    prediction: np.ndarray,
    image_path: str,
    folder: str | Path,
    palette: Palette,
    opacity: float = 1.0,
    image_root: str | Path | None = None,
) -> Path:
    """Write a prediction to look at, under the image's own name.

    Args:
        prediction: (H, W) train ids; or floats from 0 to 1 (attention), drawn as grey levels.
        image_path: of the image it was made for.
        palette: RGB of each class.
        opacity: 1 writes a palette PNG that holds train ids; less, the colours laid over the image.
        image_root: folder of all images; sub-folders below it are kept. None: they are not.
    """
    image_path = Path(image_path)
    inside = image_root is not None and image_path.is_relative_to(image_root)
    path = Path(folder) / (image_path.relative_to(image_root) if inside else image_path.name)
    path = path.with_suffix('.png')
    if prediction.dtype.kind == 'f':
        save_png(np.rint(255 * prediction.clip(0, 1)).astype(np.uint8), path)
    elif opacity >= 1:
        save_palette_png(prediction, palette, path)
    else:
        with Image.open(image_path) as stored:
            image = np.asarray(stored.convert('RGB'))
        save_png(overlay(image, prediction, palette, opacity), path)
    return path
