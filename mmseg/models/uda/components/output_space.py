"""Output space: the class probabilities that adversarial and entropy losses look at.

Reference: AdaptSegNet (Tsai et al., CVPR 2018).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from mmseg.models.precision import at_least_float32
from mmseg.models.resize import resize
from mmseg.structures import SegOutput

PUBLISHED_WEIGHTS = {'main': 0.001, 'aux': 0.0002}
DETAIL_CROP_SCALE = 0.5


def head_weights(student: Any, weights: Mapping[str, float] | None, key: str) -> dict[str, float]:
    """The loss weight of each of the student's predictions.

    Args:
        student: a segmentor.
        weights: by name, ``main`` and ``aux`` (``aux_0``, ... of several auxiliary heads); None = the published ones.
            One for an auxiliary head that the student does not have is left out.
        key: where the weights stand in the config, for messages.

    Raises:
        ValueError: if a head has no weight, a weight no possible head, or ``weights`` is no dict.
    """
    if weights is not None and not isinstance(weights, Mapping):
        raise ValueError(f'{key} is a dict of weights by head, not {weights!r}')
    weights = dict(PUBLISHED_WEIGHTS if weights is None else weights)
    heads = ['main', *getattr(student, 'auxiliary_heads', {})]
    if len(heads) == 2 and 'aux' in weights:  # a single one, given as a list
        weights = {heads[1]: weights['aux']} | weights
    if missing := [head for head in heads if head not in weights]:
        raise ValueError(f'{key} has no weight for {", ".join(missing)}; the model predicts {", ".join(heads)}')
    if unknown := [name for name in weights if name not in heads and not name.startswith('aux')]:
        raise ValueError(f'{key} has a weight for {", ".join(unknown)}; the model predicts {", ".join(heads)}')
    return {head: weights[head] for head in heads}


def output_probabilities(
    student: Any, out: SegOutput, size: Sequence[int], heads: Sequence[str] | Mapping[str, Any]
) -> dict[str, Tensor]:
    """Probabilities (B, C, H, W) of the named predictions at image size; at half of it for a network with detail crops.

    Args:
        student: the segmentor that gave ``out``.
        out: with gradient.
        size: (H, W) of the images.
        heads: names of predictions.
    """
    if hasattr(student, 'draw_crop_box'):
        size = [int(side * DETAIL_CROP_SCALE) for side in size]
    align_corners = student.align_corners
    return {name: resize(at_least_float32(out.logits[name]), size, align_corners).softmax(dim=1) for name in heads}
