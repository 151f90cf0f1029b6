"""Mixing: half of the source's classes, or a rectangle of its image, are pasted onto target images.

References: Olsson et al., "ClassMix", WACV 2021; DACS (Tranheden et al., WACV 2021), section 3.2; CutMix as in DDB
(Chen et al., NeurIPS 2022), section 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple, Protocol

import torch
from torch import Tensor

from mmseg.engine.gradient_sync import reduce_max
from mmseg.models.uda.components.pseudo_labels import PseudoLabels
from mmseg.registry import MODELS
from mmseg.structures import DomainBatch

NUM_LABELS = 256  # labels are bytes; 255 (ignore) takes part as a class


class MixedBatch(NamedTuple):
    """Images of two domains in one.

    Attributes:
        images: (B, 3, H, W).
        labels: (B, H, W) int64, source labels where pasted, else pseudo-labels.
        weight: (B, H, W) float, 1 where pasted, else the pseudo-labels' weight.
    """

    images: Tensor
    labels: Tensor
    weight: Tensor


class Mixing(Protocol):
    """What turns images of two domains, paired by their place in the batch, into mixed ones.

    Attributes:
        decision: name of what ``draw`` decides.
    """

    decision: ClassVar[str]

    def draw(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """What to paste, by source labels (B, H, W) and a generator of the CPU."""

    def apply(self, source: DomainBatch, target: DomainBatch, pseudo: PseudoLabels, drawn: Tensor) -> MixedBatch:
        """Paste it."""


def paste(source: DomainBatch, target: DomainBatch, pseudo: PseudoLabels, pasted: Tensor) -> MixedBatch:
    """Images, labels and weights of the source where ``pasted`` (B, H, W) bool, of the target elsewhere."""
    assert source.labels is not None
    return MixedBatch(
        images=torch.where(pasted[:, None], source.images, target.images),
        labels=torch.where(pasted, source.labels, pseudo.labels),
        weight=pseudo.weight.masked_fill(pasted, 1),
    )


def present_classes(labels: Tensor) -> Tensor:
    """(B, 256) bool, which labels occur in each of the label maps (B, H, W)."""
    batch = labels.shape[0]
    table = torch.zeros(batch * NUM_LABELS, dtype=torch.uint8, device=labels.device)
    first = torch.arange(batch, device=labels.device)[:, None, None] * NUM_LABELS
    return table.index_fill_(0, (labels + first).flatten(), 1).view(batch, NUM_LABELS).bool()


def choose_half(present: Tensor, scores: Tensor) -> Tensor:
    """Of each row's n present classes the (n + n mod 2) / 2 with the lowest scores, (B, 256) bool.

    With independent uniform scores this is a choice without replacement, and needs no class count on the host.
    """
    rank = scores.masked_fill(~present, torch.inf).argsort(dim=1).argsort(dim=1)
    return present & (rank < (present.sum(dim=1, keepdim=True) + 1) // 2)


def class_table(classes: Tensor) -> Tensor:
    """Chosen class numbers (B, n), padded with -1, as a table (B, 256) bool."""
    table = torch.zeros(classes.shape[0], NUM_LABELS + 1, dtype=torch.bool, device=classes.device)
    return table.scatter_(1, classes.masked_fill(classes < 0, NUM_LABELS), True)[:, :NUM_LABELS]


def class_mask(labels: Tensor, chosen: Tensor) -> Tensor:
    """(B, H, W) bool, where the label (B, H, W) is among its image's chosen classes (B, 256) bool."""
    return chosen.gather(1, labels.flatten(1)).view_as(labels)


@MODELS.register_module()
class ClassMix:
    """Mixes source and target images by classes; images are paired by their place in the batch.

    Args:
        classes: what is chosen from: the classes of the whole ``batch`` on all processes (DAFormer, HRDA, MIC), or of
            the ``image`` itself (the original DACS).

    Raises:
        ValueError: for another value of ``classes``.
    """

    decision = 'mix_classes'

    def __init__(self, classes: str = 'batch') -> None:
        if classes not in ('batch', 'image'):
            raise ValueError(f"mixing: classes is 'batch' or 'image', not {classes!r}")
        self.per_batch = classes == 'batch'

    def draw(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Choose the classes to paste, anew for each image.

        Args:
            labels: (B, H, W) int64 source labels.
            generator: of the CPU; the class count stays on the device.

        Returns:
            (B, 256) bool.
        """
        present = present_classes(labels)
        if self.per_batch:
            present = reduce_max(present.any(dim=0).to(torch.uint8)).bool().expand_as(present)
        scores = torch.rand(present.shape, generator=generator)
        return choose_half(present, scores.to(labels.device, non_blocking=True))

    def apply(self, source: DomainBatch, target: DomainBatch, pseudo: PseudoLabels, chosen: Tensor) -> MixedBatch:
        """Paste the chosen classes (B, 256) of the source images onto the target images."""
        assert source.labels is not None
        return paste(source, target, pseudo, class_mask(source.labels, chosen))


def cut_boxes(draws: Tensor, size: Sequence[int], area: float) -> Tensor:
    """Rectangles of a share of the image that lie inside it.

    Args:
        draws: (B, 3) uniform numbers of 0..1: the first splits the area into height and width, ``area ** draw`` of the
            height, the others place the corner.
        size: (H, W) of the images.
        area: share of the pixels.

    Returns:
        (B, 4) int64, y1, y2, x1, x2.
    """
    full = torch.tensor(tuple(size), dtype=torch.float64)
    height_share = area ** draws[:, :1].double()
    sides = (torch.cat([height_share, area / height_share], dim=1) * full).round()
    corner = ((full - sides) * draws[:, 1:].double()).round()
    return torch.stack([corner, corner + sides], dim=2).flatten(1).long()


def box_mask(boxes: Tensor, size: Sequence[int]) -> Tensor:
    """(B, H, W) bool, True inside the boxes (B, 4) y1, y2, x1, x2."""
    y, x = (torch.arange(side, device=boxes.device) for side in size)
    y1, y2, x1, x2 = boxes[:, :, None].unbind(dim=1)  # (B, 1) each
    return ((y >= y1) & (y < y2))[:, :, None] & ((x >= x1) & (x < x2))[:, None]


@MODELS.register_module()
class CutMix:
    """Pastes a rectangle of the source image; images are paired by their place in the batch.

    Args:
        area: share of the image that the rectangle covers.

    Raises:
        ValueError: for a share outside 0..1.
    """

    decision = 'mix_boxes'

    def __init__(self, area: float = 0.4) -> None:
        if not 0 < area <= 1:
            raise ValueError(f'mixing: area is a share of the image above 0 and up to 1, not {area}')
        self.area = area

    def draw(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Choose a rectangle, anew for each image; see :func:`cut_boxes`."""
        draws = torch.rand(len(labels), 3, generator=generator, dtype=torch.float64)
        return cut_boxes(draws, labels.shape[1:], self.area)

    def apply(self, source: DomainBatch, target: DomainBatch, pseudo: PseudoLabels, boxes: Tensor) -> MixedBatch:
        """Paste the source images' rectangles (B, 4) onto the target images."""
        boxes = boxes.to(source.images.device, non_blocking=True)
        return paste(source, target, pseudo, box_mask(boxes, source.images.shape[2:]))


@MODELS.register_module()
class NoMix:
    """Pastes nothing: target images with their pseudo-labels alone, a mean teacher on augmented images."""

    decision = 'mix_none'

    def draw(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Nothing to choose: (B,) False."""
        return torch.zeros(len(labels), dtype=torch.bool, device=labels.device)

    def apply(self, source: DomainBatch, target: DomainBatch, pseudo: PseudoLabels, drawn: Tensor) -> MixedBatch:
        """The target images as they are."""
        return MixedBatch(target.images, pseudo.labels, pseudo.weight)
