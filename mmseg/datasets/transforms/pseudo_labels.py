"""Reading pseudo-labels in place of ground truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mmseg.datasets.transforms.base import Results
from mmseg.datasets.transforms.loading import LoadAnnotations
from mmseg.registry import TRANSFORMS
from mmseg.structures import IGNORE

CONFIDENCE_SUFFIX = '_conf.npy'
ORIGINAL_IGNORE = 250  # PBAL's and ProDA's


def rejected(confidence: np.ndarray, threshold: float) -> np.ndarray:
    """Where a confidence is not above the threshold, both rounded to float16 as ProDA keeps them (0.95 is 0.9502)."""
    return confidence.astype(np.float16) <= np.float16(threshold)


@TRANSFORMS.register_module()
class LoadPseudoLabels(LoadAnnotations):
    """Read ``seg_map_path`` as ``gt_seg_map``: maps of ``tools/make_pseudo_labels.py``, or of PBAL's or ProDA's format.

    Its ids are the classes that are trained, whatever the dataset's ``label_map``; 250 and 255 are ignored.

    Args:
        threshold: pixels whose confidence is not above it are ignored too; it is read from ``<label map>_conf.npy``
            (float16). None = all labels in the map count.

    Raises:
        ValueError: for a threshold outside 0..1.
    """

    made_by = 'python -m tools.make_pseudo_labels CONFIG CHECKPOINT --out-dir FOLDER'
    size_tolerance = 0.0  # they were made from the images, and confidences lie beside them

    def __init__(self, threshold: float | None = None):
        super().__init__(label_map={ORIGINAL_IGNORE: IGNORE})
        if threshold is not None and not 0 <= threshold <= 1:
            raise ValueError(f'LoadPseudoLabels: threshold must lie in 0..1, got {threshold}')
        self.threshold = threshold

    def __call__(self, results: Results) -> Results:
        label = super().__call__({**results, 'label_map': None})['gt_seg_map']
        if self.threshold is not None:
            confidence = read_confidence(results['seg_map_path'], label.shape)
            label = np.where(rejected(confidence, self.threshold), np.uint8(IGNORE), label)
        results['gt_seg_map'] = label
        return results


def read_confidence(label_path: str, shape: tuple[int, ...]) -> np.ndarray:
    """The confidences (H, W) beside a map of pseudo-labels.

    Raises:
        FileNotFoundError: there are none.
        ValueError: the file is broken or of another size than the map.
    """
    path = Path(label_path).with_suffix('')
    path = path.with_name(path.name + CONFIDENCE_SUFFIX)
    try:
        confidence = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise FileNotFoundError(
            f'LoadPseudoLabels: the threshold needs {path}, which does not exist; make it: '
            'python -m tools.make_pseudo_labels CONFIG CHECKPOINT --confidence, or leave the threshold out'
        ) from None
    except (ValueError, EOFError, OSError):
        raise ValueError(f'{path} cannot be read: it is no array of NumPy') from None
    if confidence.shape != tuple(shape):
        raise ValueError(f'{path} holds {confidence.shape} confidences, its label map is {tuple(shape)}')
    return confidence
