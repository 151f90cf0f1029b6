"""Small pictures of what a row predicts, kept beside its record: the same few test images for all rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from mmseg.evaluation.run_folder import find_checkpoint
from mmseg.evaluation.sample_predictions import predict_samples
from mmseg.experiments.benchmark.collect import FinishedRow
from mmseg.experiments.benchmark.records import RowRecord
from mmseg.experiments.benchmark.rows import Benchmark
from mmseg.visualization.palette import palette_image, save_picture, save_png

FOLDER = 'pictures'
IMAGES, TRUTH = f'{FOLDER}/images.jpg', f'{FOLDER}/truth.png'
COUNT = 3
HEIGHT = 128
"""Of each image. All of a row's lie side by side in one file of some 8 kB."""


def keep(benchmark: Benchmark, finished: FinishedRow, place: Path) -> tuple[str, list[str]]:
    """Predict with a row's last student and keep the pictures, if it is to have any.

    Returns:
        The file below ``place``, empty if there is none; and what to tell of it.
    """
    record = finished.record
    if not is_kept(benchmark, record):
        return '', []
    try:
        find_checkpoint(finished.final_folder)
        images, truths, predictions, meta = predict_samples(finished.final_folder, COUNT)
    except FileNotFoundError as error:
        return '', [f'{record.name}: no pictures of its predictions: {error}']
    name = f'{FOLDER}/{record.name}.png'
    palette = meta['palette']
    save_png(palette_image(_side_by_side(predictions), palette), place / name)
    if not (place / TRUTH).is_file():
        save_png(palette_image(_side_by_side(truths), palette), place / TRUTH)
        save_picture(_side_by_side(images, cv2.INTER_AREA), place / IMAGES)
    return name, []


def is_kept(benchmark: Benchmark, record: RowRecord) -> bool:
    """Whether there are to be pictures of a record: of the first seed of the rows that are shown."""
    return benchmark.pictures and record.seed == 0 and benchmark.row(record.row).shown


def _side_by_side(maps: Sequence[np.ndarray], interpolation: int = cv2.INTER_NEAREST) -> np.ndarray:
    """All in the common height, one beside the other."""
    resized = []
    for one in maps:
        size = (round(one.shape[1] * HEIGHT / one.shape[0]), HEIGHT)
        resized.append(cv2.resize(np.ascontiguousarray(one).astype(np.uint8), size, interpolation=interpolation))
    return np.concatenate(resized, axis=1)
