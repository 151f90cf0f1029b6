"""Prototypes: one vector per class, a running mean of the features that belong to it.

One kernel adds up features by class; rules turn the sums into prototypes: over pixels (ProCA, Jiang et al., ECCV 2022,
section 3.2), with a momentum (its other mode), or over images (DDB, Chen et al., NeurIPS 2022; ProDA, Zhang et al.,
CVPR 2021).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from mmseg.engine.gradient_sync import gather_rows, reduce_sum
from mmseg.models.precision import at_least_float32, exact_matmul, without_autocast
from mmseg.models.uda.building import build_component
from mmseg.models.uda.components.prototype_distance import bilinear_weights


class ClassSums(NamedTuple):
    """Sums of features by class, image by image.

    Attributes:
        sums: (B, C, A), at least float32.
        counts: (B, C) int64, positions of each class.
    """

    sums: Tensor
    counts: Tensor


@torch.no_grad()
def class_sums(features: Tensor, labels: Tensor, num_classes: int) -> ClassSums:
    """Add up features by class: one matrix product of labels as ones and zeros, (C, P), with the features, (P, A).

    Args:
        features: (B, A, ...) of positions in images, or (P, A) of single positions, which count as one image.
        labels: (B, ...) or (P,) int64; what is none of the classes (255 = ignore) is left out.
        num_classes: C.

    Raises:
        ValueError: if labels and features do not have the same positions.
    """
    if features.ndim == 2:
        features, labels = features.t()[None], labels[None]
    if labels.shape != features.shape[:1] + features.shape[2:]:
        raise ValueError(f'prototypes: labels of {tuple(labels.shape)} for features of {tuple(features.shape)}')
    with without_autocast(features.device):
        flat = at_least_float32(features).flatten(2)  # (B, A, P)
        member = labels.flatten(1)[:, None] == torch.arange(num_classes, device=labels.device)[:, None]  # (B, C, P)
        with exact_matmul():
            sums = torch.matmul(member.to(flat.dtype), flat.transpose(1, 2))
    return ClassSums(sums, member.sum(dim=2))


@torch.no_grad()
def resized_class_sums(features: Tensor, labels: Tensor, num_classes: int) -> ClassSums:
    """:func:`class_sums` of features that are resized bilinearly to the labels' size, without ever being that large.

    Resizing is linear: instead of features being enlarged, each class's mask is brought down with the transposed
    weights, and then says how much each feature counts.

    Args:
        features: (B, A, h, w).
        labels: (B, H, W) int64; what is none of the classes is left out.
        num_classes: C.
    """
    with without_autocast(features.device), exact_matmul():
        features = at_least_float32(features)
        rows = bilinear_weights(features.shape[2], labels.shape[1], features)
        columns = bilinear_weights(features.shape[3], labels.shape[2], features)
        member = labels[:, None] == torch.arange(num_classes, device=labels.device)[:, None, None]  # (B, C, H, W)
        share = rows.t() @ member.to(features.dtype) @ columns
        sums = torch.einsum('bchw,bahw->bca', share, features)
    return ClassSums(sums, member.sum(dim=(2, 3)))


class PixelMean:
    """The exact mean over all positions ever seen: P <- P + m / (m + n) (mean - P), n <- n + m."""

    def __call__(self, vectors: Tensor, counts: Tensor, batch: ClassSums, sync: bool) -> tuple[Tensor, Tensor]:
        sums, new = _total(batch, sync)
        share = new.to(vectors.dtype) / (counts + new).clamp(min=1)
        return vectors + share[:, None] * (_mean(sums, new) - vectors), counts + new


class Momentum:
    """A moving average of the batches' class means: P <- mu mean + (1 - mu) P for the classes of the batch.

    Args:
        momentum: mu, the weight of the **new** mean (the originals' meaning).

    Raises:
        ValueError: for a momentum outside 0..1.
    """

    def __init__(self, momentum: float = 0.9) -> None:
        if not 0 <= momentum <= 1:
            raise ValueError(f'prototypes: momentum is the weight of the new mean, 0 to 1, not {momentum}')
        self.momentum = momentum

    def __call__(self, vectors: Tensor, counts: Tensor, batch: ClassSums, sync: bool) -> tuple[Tensor, Tensor]:
        sums, new = _total(batch, sync)
        share = self.momentum * (new > 0).to(vectors.dtype)
        return vectors + share[:, None] * (_mean(sums, new) - vectors), counts + new


def image_means(batch: ClassSums, min_pixels: int, sync: bool) -> tuple[Tensor, Tensor]:
    """Each image's class means (B, C, A), of all processes if ``sync``, and which of them count, (B, C) bool."""
    means = _mean(batch.sums, batch.counts)
    # The published rule leaves out a mean that adds up to zero: a dead feature says nothing of a class.
    taken = (batch.counts >= min_pixels) & (means.sum(dim=2) != 0)
    if sync:
        means, taken = gather_rows(means), gather_rows(taken.to(torch.uint8)).bool()
    return means, taken


class ImageMean:
    """A running mean over images, each of which counts once for each of its classes, whatever its area.

    P <- (n P + mean) / (n + 1), n <- min(n + 1, cap): beyond ``cap`` images a moving average.

    Args:
        min_pixels: an image counts for a class with at least so many positions of it.
        cap: largest n; None = none, the mean of all images.

    Raises:
        ValueError: for numbers below 1.
    """

    def __init__(self, min_pixels: int = 10, cap: int | None = 3000) -> None:
        if min_pixels < 1 or (cap is not None and cap < 1):
            raise ValueError(f'prototypes: min_pixels and cap are at least 1, not {min_pixels} and {cap}')
        self.min_pixels = min_pixels
        self.cap = cap

    def __call__(self, vectors: Tensor, counts: Tensor, batch: ClassSums, sync: bool) -> tuple[Tensor, Tensor]:
        means, taken = image_means(batch, self.min_pixels, sync)
        # One after the other, as the rule is one of a sequence; a batch has few images.
        for mean, present in zip(means, taken, strict=True):
            share = present.to(vectors.dtype) / (counts + 1).to(vectors.dtype)
            vectors = vectors + share[:, None] * (mean - vectors)
            counts = counts + present
            if self.cap is not None:
                counts = counts.clamp(max=self.cap)
        return vectors, counts


class ImageMomentum:
    """A moving average of images, one after the other: P <- (1 - mu) P + mu mean for each of an image's classes.

    Args:
        momentum: mu, the weight of the **new** mean.
        min_pixels: an image counts for a class with at least so many positions of it.

    Raises:
        ValueError: for numbers that make no sense.
    """

    def __init__(self, momentum: float = 1e-4, min_pixels: int = 10) -> None:
        if not 0 <= momentum <= 1 or min_pixels < 1:
            raise ValueError(
                f'prototypes: momentum lies in 0..1 and min_pixels is at least 1, not {momentum} and {min_pixels}'
            )
        self.momentum = momentum
        self.min_pixels = min_pixels

    def __call__(self, vectors: Tensor, counts: Tensor, batch: ClassSums, sync: bool) -> tuple[Tensor, Tensor]:
        means, taken = image_means(batch, self.min_pixels, sync)
        for mean, present in zip(means, taken, strict=True):
            vectors = vectors + self.momentum * present.to(vectors.dtype)[:, None] * (mean - vectors)
            counts = counts + present
        return vectors, counts


RULES: dict[str, type] = {
    'pixel_mean': PixelMean,
    'momentum': Momentum,
    'image_mean': ImageMean,
    'image_momentum': ImageMomentum,
}


class PrototypeBank(nn.Module):
    """The prototypes of all classes.

    Args:
        num_classes: C.
        channels: A, width of the features.
        rule: how they follow the features: a name in ``RULES``, or one as ``type`` with its settings.
        sync: add up the sums of all processes; False = each process has its own prototypes, as in the originals, and
            checkpoints hold those of the first.

    Attributes:
        vectors: (C, A); zero for a class that was never seen. A buffer: moved, saved and broadcast with the method.
        counts: (C,) int64, what each of them is a mean of.

    Raises:
        ValueError: for an unknown rule or setting.
    """

    vectors: Tensor
    counts: Tensor

    def __init__(
        self, num_classes: int, channels: int, rule: str | Mapping[str, Any] = 'pixel_mean', sync: bool = True
    ) -> None:
        super().__init__()
        settings = {'type': rule} if isinstance(rule, str) else dict(rule)
        name = settings.pop('type', None)
        if name not in RULES:
            raise ValueError(f'prototypes: rule {name!r} does not exist, choose one of {", ".join(RULES)}')
        self.rule = build_component(RULES[name], settings, f'prototypes: rule {name}')
        self.sync = sync
        self.per_process = not sync
        self.register_buffer('vectors', torch.zeros(num_classes, channels))
        self.register_buffer('counts', torch.zeros(num_classes, dtype=torch.int64), persistent=False)

    @torch.no_grad()
    def update(self, features: Tensor, labels: Tensor) -> None:
        """Take in features (B, A, ...) or (P, A) with their labels (B, ...) or (P,)."""
        self.take(class_sums(features, labels, len(self.vectors)))

    @torch.no_grad()
    def take(self, batch: ClassSums) -> None:
        """Take in sums by class that were made already."""
        batch = batch._replace(sums=batch.sums.to(self.vectors.dtype))
        vectors, counts = self.rule(self.vectors, self.counts, batch, self.sync)
        self.vectors.copy_(vectors)
        self.counts.copy_(counts)

    def set(self, vectors: Tensor, counts: Tensor) -> None:
        """Start from given prototypes, (C, A), and what they are means of, (C,).

        Raises:
            ValueError: prototypes of other classes or another width.
        """
        if vectors.shape != self.vectors.shape:
            theirs, ours = ('x'.join(map(str, shape)) for shape in (vectors.shape, self.vectors.shape))
            raise ValueError(f'prototypes of {theirs} (classes x channels), the network has {ours}')
        self.vectors.copy_(vectors)
        self.counts.copy_(counts)

    def training_state(self) -> dict[str, Any]:
        """What is not in the state dict."""
        return {'counts': self.counts.cpu()}

    def load_training_state(self, state: Mapping[str, Any]) -> None:
        """Continue where ``training_state`` was taken."""
        self.counts.copy_(state['counts'])


def _total(batch: ClassSums, sync: bool) -> tuple[Tensor, Tensor]:
    sums, counts = batch.sums.sum(dim=0), batch.counts.sum(dim=0)
    return (reduce_sum(sums), reduce_sum(counts)) if sync else (sums, counts)


def _mean(sums: Tensor, counts: Tensor) -> Tensor:
    return sums / counts.clamp(min=1)[..., None].to(sums.dtype)
