"""Class probabilities for pseudo-labels the way ProDA makes them: mirrored, averaged, and rounded to half precision.

Reference: the code of ProDA (Zhang et al., CVPR 2021), whose pseudo-labels PBAL's stages read too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from mmseg.datasets.transforms.pseudo_labels import rejected
from mmseg.models.precision import at_least_float32
from mmseg.models.resize import resize
from mmseg.structures import IGNORE


def network_probabilities(student: Any, images: Tensor) -> Tensor:
    """(B, C, h, w) at the resolution of the head; of a network that slides over its images, at theirs."""
    if student.inference_options.mode == 'slide':
        return student.inference(images)
    return student.to_probabilities(at_least_float32(student.head_logits(images)))


def full_size_probabilities(
    plain: Tensor, mirrored: Tensor | None, size: Sequence[int], align_corners: bool = True
) -> Tensor:
    """Probabilities (B, C, h, w) up-sampled to ``size``; the mean with those of the mirrored images, if given."""
    full = resize(plain, size, align_corners)
    return full if mirrored is None else (full + resize(mirrored, size, align_corners).flip(-1)) / 2


def confident_labels(probabilities: Tensor, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hard labels of probabilities (B, C, H, W).

    Returns:
        The likeliest classes (B, H, W) uint8; their probabilities, float16; the classes with 255 where these are not
        above the threshold (0 keeps all).
    """
    highest, prediction = (value.cpu().numpy() for value in probabilities.max(dim=1))
    labels, confidence = prediction.astype(np.uint8), highest.astype(np.float16)
    return labels, confidence, np.where(rejected(confidence, threshold), np.uint8(IGNORE), labels)
