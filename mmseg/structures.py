"""What flows between loader, data preprocessor, network and method."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mmengine.structures import BaseDataElement, PixelData
from torch import Tensor

IGNORE = 255  # train id of pixels that count nothing


@dataclass
class DomainBatch:
    """One domain's half of a training batch, on the device, normalised.

    Attributes:
        images: (B, 3, H, W) float.
        labels: (B, H, W) int64 train ids, 255 = ignore; None for an unlabelled domain.
        valid: (B, H, W) bool, False where a pseudo-label is not to be trusted (image margins); None = everywhere valid.
        depth: (B, H, W) uint8 relative depth; None where no method needs it.
        whole: (B, 3, H', W') the whole images which ``images`` are crops of, normalised; None where not needed.
        soft_labels: (B, C, h, w) float class probabilities of the whole images; None where no method needs them.
        meta: one dict per image (file names, sizes, flips).
    """

    images: Tensor
    labels: Tensor | None = None
    valid: Tensor | None = None
    depth: Tensor | None = None
    whole: Tensor | None = None
    soft_labels: Tensor | None = None
    meta: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class TrainBatch:
    """What a training step gets: a labelled source, and for adaptation an unlabelled target."""

    source: DomainBatch
    target: DomainBatch | None = None


class SegOutput(NamedTuple):
    """What a segmentor's training forward gives.

    Attributes:
        features: the encoder's levels after the neck, finest first, each (B, C_i, H_i, W_i).
        logits: (B, C, h, w) class scores with gradient; ``main``, and ``aux``, ``lr``, ``hr``, ``attention``, ...
            where the network has them.
        embedding: (B, D, h, w) the head's feature before its classifier; None for heads that have none.
        crop_box: (4,) int64 tensor y1, y2, x1, x2 of HRDA's detail crop; None elsewhere.
        detail_features: the encoder's levels of HRDA's detail view; None elsewhere.
    """

    features: list[Tensor]
    logits: dict[str, Tensor]
    embedding: Tensor | None = None
    crop_box: Tensor | None = None
    detail_features: list[Tensor] | None = None


class SegDataSample(BaseDataElement):
    """Ground truth and prediction of one validation or test image; size and file names in ``metainfo``."""

    def pin_memory(self) -> SegDataSample:
        """The ground truth in page-locked memory, which a GPU reads without waiting; the loader's thread calls this."""
        if 'gt_sem_seg' in self:
            self.gt_sem_seg = PixelData(data=self.gt_sem_seg.data.pin_memory())
        return self

    @property
    def gt_sem_seg(self) -> PixelData:
        """Label map, ``.data`` (1, H, W) uint8 train ids."""
        return self._gt_sem_seg

    @gt_sem_seg.setter
    def gt_sem_seg(self, value: PixelData) -> None:
        self.set_field(value, '_gt_sem_seg', dtype=PixelData)

    @property
    def pred_sem_seg(self) -> PixelData:
        """Predicted label map, ``.data`` (1, H, W)."""
        return self._pred_sem_seg

    @pred_sem_seg.setter
    def pred_sem_seg(self, value: PixelData) -> None:
        self.set_field(value, '_pred_sem_seg', dtype=PixelData)

    @property
    def seg_logits(self) -> PixelData:
        """Class probabilities, ``.data`` (C, H, W)."""
        return self._seg_logits

    @seg_logits.setter
    def seg_logits(self, value: PixelData) -> None:
        self.set_field(value, '_seg_logits', dtype=PixelData)
