"""Distances of a network's features to class prototypes, and the weights that classes get by them.

References: DDB (Chen et al., NeurIPS 2022); ProDA (Zhang et al., CVPR 2021), equation 5.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmseg.models.precision import at_least_float32, exact_matmul, without_autocast


def bilinear_weights(small: int, large: int, like: Tensor, align_corners: bool = False) -> Tensor:
    """The matrix (large, small) that resizes one axis bilinearly, at most two neighbours per row not zero.

    Args:
        small: length of the axis before.
        large: length afterwards.
        like: dtype and device come from here.
        align_corners: rule of resizing.
    """
    identity = torch.eye(small, dtype=like.dtype, device=like.device)[None]
    return F.interpolate(identity, size=large, mode='linear', align_corners=align_corners)[0].t()


def prototype_distances(
    features: Tensor,
    prototypes: Tensor,
    size: Sequence[int] | None = None,
    align_corners: bool = False,
    gradient: bool = False,
) -> Tensor:
    """Euclidean distance of each position's feature to each prototype; features are resized to ``size``, in effect.

    Resizing is linear, so products with prototypes are resized instead of features, and the length of a resized feature
    follows from products of neighbours: no feature map of ``size`` is ever made.

    Args:
        features: (B, A, h, w).
        prototypes: (C, A).
        size: (H, W) of the result; None = that of the features.
        align_corners: rule of resizing.
        gradient: the features learn; where a distance is 0 its gradient is 0.

    Returns:
        (B, C, H, W), at least float32.
    """
    learning = gradient and torch.is_grad_enabled()
    with torch.set_grad_enabled(learning), without_autocast(features.device), exact_matmul():
        features = at_least_float32(features)
        # Distances do not change if everything is shifted, but rounding errors shrink with the lengths.
        centre = prototypes.to(features).mean(dim=0)
        features = features - centre[:, None, None]
        prototypes = prototypes.to(features) - centre
        products = torch.einsum('ca,bahw->bchw', prototypes, features)
        if size is None or tuple(size) == tuple(features.shape[2:]):
            lengths = features.square().sum(dim=1)
        else:
            rows = bilinear_weights(features.shape[2], size[0], features, align_corners)
            columns = bilinear_weights(features.shape[3], size[1], features, align_corners)
            products = rows @ products @ columns.t()
            lengths = _resized_lengths(features, rows, columns)
        squares = prototypes.square().sum(dim=1)[:, None, None] - 2 * products + lengths[:, None]
        if learning:
            return torch.where(squares > 0, squares, 1).sqrt() * (squares > 0)
        return squares.clamp_(min=0).sqrt_()


def _resized_lengths(features: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Squared lengths (B, H, W) of features (B, A, h, w) resized with ``rows`` (H, h) and ``columns`` (W, w)."""
    upper, lower, left, right = features[:, :, :-1], features[:, :, 1:], features[..., :-1], features[..., 1:]
    own = features.square().sum(dim=1)
    beside = (left * right).sum(dim=1)
    below = (upper * lower).sum(dim=1)
    diagonal = (upper[..., :-1] * lower[..., 1:] + upper[..., 1:] * lower[..., :-1]).sum(dim=1)
    row_pairs, column_pairs = rows[:, :-1] * rows[:, 1:], columns[:, :-1] * columns[:, 1:]
    row_squares, column_squares = rows.square(), columns.square()
    return (
        row_squares @ own @ column_squares.t()
        + 2 * row_squares @ beside @ column_pairs.t()
        + 2 * row_pairs @ below @ column_squares.t()
        + 2 * row_pairs @ diagonal @ column_pairs.t()
    )


def prototype_weights(distances: Tensor, tau: float = 1.0) -> Tensor:
    """How much each class counts at a position, by its nearness: softmax over the classes of ``-tau * distances``.

    Args:
        distances: (B, C, H, W).
        tau: the larger, the more the nearest class counts alone; the published methods have 1.
    """
    return torch.softmax(-tau * distances, dim=1)
