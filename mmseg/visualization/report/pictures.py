"""Test images with their labels and the kept predictions of each run."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from mmseg.evaluation.progress import track
from mmseg.visualization.layout import fit_width
from mmseg.visualization.palette import Palette, palette_image
from mmseg.visualization.report.runs import ReportRun

PICTURE_WIDTH = 640
JPEG_QUALITY = 86
ORDERS = ('even', 'worst', 'best', 'spread')
# How much of a right pixel the veil hides when only mistakes are shown.
VEIL = 225


@dataclass(frozen=True)
class Picture:
    """A picture inside the page.

    Attributes:
        source: ``data:`` address.
        width, height: in pixels.
        score: mean IoU over the classes of this image's label, in percent; None where none applies.
        mistakes: ``data:`` address of a veil over the pixels that are right; empty for other pictures.
    """

    source: str
    width: int
    height: int
    score: float | None = None
    mistakes: str = ''


@dataclass(frozen=True)
class PictureRow:
    """One test image.

    Attributes:
        name: of its file below the image folder.
        image, label: pictures.
        predictions: one per run; None where the run kept none of this image.
    """

    name: str
    image: Picture
    label: Picture
    predictions: list[Picture | None]


def picture_rows(dataset: Any, runs: Sequence[ReportRun], count: int, order: str = 'even') -> list[PictureRow]:
    """Some images of a test set with what each run made of them.

    Args:
        dataset: in test mode, with labels in its samples.
        runs: those with kept predictions are shown.
        count: of images.
        order: ``even``: at even distances through the files; ``worst``, ``best``: by the mean over the runs of the
            image's mean IoU; ``spread``: from worst to best at even distances.

    Raises:
        ValueError: a prediction or a label that cannot be read, or of another size than its label.
    """
    scores: list[float | None] = []
    if order != 'even':
        numbers = track(range(len(dataset)), len(dataset), 'Scoring each image')
        scores = [_mean_score(dataset, runs, index) for index in numbers]
    return [_row(dataset, runs, index) for index in choose_images(len(dataset), count, order, scores)]


def choose_images(total: int, count: int, order: str, scores: Sequence[float | None]) -> list[int]:
    """Numbers of the images to show; the same for the same data.

    Args:
        total: images there are.
        count: of images to show.
        order: see ``picture_rows``.
        scores: of each image, unless the order is ``even``; those with None are not chosen.

    Raises:
        ValueError: an unknown order.
    """
    if order not in ORDERS:
        raise ValueError(f'images by {order!r}: there are {", ".join(ORDERS)}')
    count = min(count, total)
    if order == 'even':
        return [place * total // count for place in range(count)]
    known = {index: value for index, value in enumerate(scores) if value is not None}
    ranked = sorted(known, key=lambda index: known[index])
    count = min(count, len(ranked))
    if order == 'spread':
        return [ranked[round(place * (len(ranked) - 1) / max(count - 1, 1))] for place in range(count)]
    return ranked[:count] if order == 'worst' else ranked[::-1][:count]


def prediction_file(run: ReportRun, name: str) -> Path | None:
    """Where the run's evaluation left the prediction of an image; None if it did not.

    Args:
        run: of the report.
        name: of the image, see ``image_name``.
    """
    if run.result is None or run.result.predictions is None:
        return None
    path = (run.result.predictions / name).with_suffix('.png')
    return path if path.is_file() else None


def image_name(dataset: Any, meta: Mapping[str, Any]) -> str:
    """An image's path below the folder of all images; of a foreign dataset its file's name."""
    return dataset.image_name(meta) if hasattr(dataset, 'image_name') else Path(meta['img_path']).name


def image_iou(prediction: np.ndarray, label: np.ndarray, num_classes: int) -> float | None:
    """Mean IoU over the classes that occur in the label map of one image, in percent; None if all is ignored.

    Args:
        prediction, label: (H, W) train ids; ids from ``num_classes`` on are ignored in the label.
    """
    counted = label < num_classes
    if not counted.any():
        return None
    truth, guess = label[counted].astype(np.int64), prediction[counted].astype(np.int64)
    labelled = np.bincount(truth, minlength=num_classes)
    right = np.bincount(truth[truth == guess], minlength=num_classes)
    predicted = np.bincount(guess[guess < num_classes], minlength=num_classes)
    present = labelled > 0
    return float(100 * (right[present] / (labelled + predicted - right)[present]).mean())


def _row(dataset: Any, runs: Sequence[ReportRun], index: int) -> PictureRow:
    from mmseg.datasets.image_io import read_image

    meta, label, predictions = _read(dataset, runs, index)
    palette, classes = dataset.metainfo['palette'], len(dataset.metainfo['classes'])
    return PictureRow(
        name=image_name(dataset, meta),
        image=_photograph(read_image(meta['img_path'])[..., ::-1]),
        label=_label_picture(label, palette),
        predictions=[None if one is None else _compared(one, label, palette, classes) for one in predictions],
    )


def _mean_score(dataset: Any, runs: Sequence[ReportRun], index: int) -> float | None:
    _, label, predictions = _read(dataset, runs, index)
    classes = len(dataset.metainfo['classes'])
    scores = [image_iou(one, label, classes) for one in predictions if one is not None]
    known = [score for score in scores if score is not None]
    return sum(known) / len(known) if known else None


def _read(
    dataset: Any, runs: Sequence[ReportRun], index: int
) -> tuple[dict[str, Any], np.ndarray, list[np.ndarray | None]]:
    """An image's file facts, its label map and the runs' predictions."""
    sample = dataset[index]['data_samples']
    label = sample.gt_sem_seg.data[0].numpy()
    files = [prediction_file(run, image_name(dataset, sample.metainfo)) for run in runs]
    return sample.metainfo, label, [None if file is None else _prediction(file, label) for file in files]


def _prediction(path: Path, label: np.ndarray) -> np.ndarray:
    from mmseg.datasets.image_io import read_label

    prediction = read_label(str(path))
    if prediction.shape != label.shape:
        sizes = ' and '.join(f'{width}x{height}' for height, width in (prediction.shape, label.shape))
        raise ValueError(f'{path}: prediction and label map differ in size: {sizes} (width x height); evaluate again')
    return prediction


def _photograph(image: np.ndarray) -> Picture:
    image = fit_width(image, min(PICTURE_WIDTH, image.shape[1]), categorical=False)
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format='JPEG', quality=JPEG_QUALITY)
    return Picture(_address(buffer, 'jpeg'), image.shape[1], image.shape[0])


def _label_picture(label: np.ndarray, palette: Palette) -> Picture:
    small = _small(label)
    buffer = io.BytesIO()
    palette_image(small, palette).save(buffer, format='PNG', optimize=True)
    return Picture(_address(buffer, 'png'), small.shape[1], small.shape[0])


def _compared(prediction: np.ndarray, label: np.ndarray, palette: Palette, classes: int) -> Picture:
    plain = _label_picture(prediction, palette)
    small_label, small = _small(label), _small(prediction)
    veil = Image.fromarray(((small_label != small) & (small_label < classes)).astype(np.uint8)).convert('P')
    veil.putpalette([255, 255, 255, 0, 0, 0])
    buffer = io.BytesIO()
    veil.save(buffer, format='PNG', optimize=True, bits=1, transparency=bytes([VEIL, 0]))
    score = image_iou(prediction, label, classes)
    return Picture(plain.source, plain.width, plain.height, score, _address(buffer, 'png'))


def _small(label: np.ndarray) -> np.ndarray:
    height, width = label.shape
    if width <= PICTURE_WIDTH:
        return label
    size = (PICTURE_WIDTH, max(1, round(height * PICTURE_WIDTH / width)))
    return cv2.resize(label.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)


def _address(buffer: io.BytesIO, kind: str) -> str:
    return f'data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode("ascii")}'
