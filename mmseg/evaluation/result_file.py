"""The JSON file that an evaluation leaves in a run's folder: written by ``tools/test.py``, read by reports."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mmseg.evaluation.evaluate import Evaluation


def mean_names(scores: Mapping[str, Any]) -> list[str]:
    """Names of the mean IoUs: of all classes, of subsets (``mIoU16``), and of each data set (``cityscapes/mIoU``)."""
    return [name for name in scores if name.rpartition('/')[2].startswith('mIoU')]


@dataclass(frozen=True)
class Result:
    """What an evaluation's file says.

    Attributes:
        path: of the file.
        scores: in percent, by name (``mIoU``, ``IoU.<class>``); None where a class is absent.
        iteration: of the checkpoint; None if it does not tell.
        images: that were evaluated; None in files that do not tell.
        options: what was asked for beyond the plain evaluation: ``ema``, ``tta``, ``slide``, ``test_set``.
        checkpoint: its file, as the command line named it.
        torch_version: that it was computed with.
        classes: names in the order of train ids.
        confusion: (C, C) int64 pixel counts, true classes in rows; None in files from before it was kept.
        predictions: folder of palette PNGs with a prediction of each image, if they were kept and are still there.
    """

    path: Path
    scores: dict[str, float | None]
    iteration: int | None = None
    images: int | None = None
    options: tuple[str, ...] = ()
    checkpoint: str = ''
    torch_version: str = ''
    classes: tuple[str, ...] = ()
    confusion: np.ndarray | None = field(default=None, repr=False)
    predictions: Path | None = None

    def per_class(self, score: str = 'IoU') -> dict[str, float | None]:
        """One score of all classes by class name."""
        prefix = f'{score}.'
        return {key.removeprefix(prefix): value for key, value in self.scores.items() if key.startswith(prefix)}


def write_result(path: str | Path, evaluation: Evaluation, facts: Mapping[str, Any]) -> None:
    """Write the scores, the confusion matrix and what they were made with as JSON; NaN becomes null.

    Args:
        path: of the file.
        evaluation: what to write.
        facts: further entries (config, checkpoint, options, predictions).
    """
    scores = {key: None if math.isnan(value) else round(value, 4) for key, value in evaluation.scores.items()}
    content = {
        **facts,
        'iteration': evaluation.meta.get('iter'),
        'images': evaluation.images,
        'seconds': round(evaluation.seconds, 2),
        'torch': str(torch.__version__),
        'scores': scores,
    }
    text = json.dumps(content, indent=2)
    if evaluation.confusion is not None:
        # A row per line: with json's indent each of its numbers would have a line.
        rows = ',\n'.join(f'    {json.dumps(row)}' for row in evaluation.confusion.tolist())
        names = json.dumps(list(evaluation.classes))
        text = f'{text[:-2]},\n  "classes": {names},\n  "confusion_matrix": [\n{rows}\n  ]\n}}'
    if evaluation.confusions:
        own = {name: matrix.tolist() for name, matrix in evaluation.confusions.items()}
        text = f'{text[:-2]},\n  "confusion_matrix_of": {json.dumps(own)}\n}}'
    path = Path(path)
    temporary = path.with_name(f'.{path.name}')
    temporary.write_text(text + '\n', encoding='utf-8')
    temporary.replace(path)


def read_result(path: str | Path) -> Result:
    """Read what :func:`write_result` wrote, now or in earlier versions.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it is broken, or not the result of an evaluation.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise FileNotFoundError(f'{path}: no such file') from None
    except ValueError as error:
        raise ValueError(f'{path}: broken JSON ({error}); evaluate again') from None
    if not isinstance(content, dict) or not isinstance(content.get('scores'), dict):
        raise ValueError(f'{path}: not the result of an evaluation (it has no "scores")')
    scores = content['scores']
    classes = tuple(content.get('classes') or (key[4:] for key in scores if key.startswith('IoU.')))
    return Result(
        path=path,
        scores=scores,
        iteration=content.get('iteration'),
        images=content.get('images'),
        options=tuple(content.get('options') or ()),
        checkpoint=content.get('checkpoint') or '',
        torch_version=content.get('torch') or '',
        classes=classes,
        confusion=_confusion(path, content.get('confusion_matrix'), len(classes)),
        predictions=_folder(path.parent, content.get('predictions')),
    )


def predictions_entry(folder: str | Path, result: str | Path) -> str:
    """How a result file names the folder of its predictions: relative to itself where that goes on holding when the
    run's folder is moved, else absolute."""
    folder, beside = Path(folder).resolve(), Path(result).resolve().parent
    return folder.relative_to(beside).as_posix() if folder.is_relative_to(beside) else str(folder)


def _confusion(path: Path, rows: Any, classes: int) -> np.ndarray | None:
    if rows is None:
        return None
    try:
        matrix = np.array(rows, dtype=np.int64)
    except (ValueError, TypeError, OverflowError):
        matrix = np.empty(0, np.int64)
    if matrix.shape != (classes, classes) or (matrix < 0).any():
        raise ValueError(f'{path}: its confusion_matrix is not {classes} x {classes} pixel counts; evaluate again')
    return matrix


def _folder(beside: Path, entry: Any) -> Path | None:
    if not isinstance(entry, str):
        return None
    folder = beside / entry
    return folder if folder.is_dir() else None
