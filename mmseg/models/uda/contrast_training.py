"""The prototype contrast that every method may have beside its own losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from mmseg.models.uda.base import UDADecorator
from mmseg.models.uda.building import build_component
from mmseg.models.uda.components.contrast import PrototypeContrast
from mmseg.models.uda.step import Losses
from mmseg.structures import SegOutput


class ContrastTraining(UDADecorator):
    """A method whose passes may add a prototype contrast of the output that they have anyway.

    Attributes:
        contrast: what is compared with what; None = no contrast.
    """

    contrast: PrototypeContrast | None

    def build_contrast(self, settings: Mapping[str, Any] | None) -> PrototypeContrast | None:
        """What ``contrast`` is to be."""
        if settings is None:
            return None
        return build_component(PrototypeContrast, settings, 'uda.contrast').attach(self.student)

    def source_contrast(self, out: SegOutput, labels: Tensor) -> Losses:
        """Of the student's output for images with ground truth (B, H, W); nothing without ``contrast``."""
        if self.contrast is None:
            return {}
        self.contrast.update(out, labels, 'source')
        return {'src.loss_contrast': self.contrast(out, labels, self.student)}

    def target_contrast(
        self, name: str, out: SegOutput, labels: Tensor | None = None, weight: Tensor | None = None
    ) -> Losses:
        """Of the student's output for images without ground truth, where the student is confident.

        Args:
            name: of the images, first part of the loss's name.
            out: of the student.
            labels: (B, H, W) pseudo-labels; None = the student's own prediction.
            weight: (B, H, W) how much they are believed.
        """
        if self.contrast is None:
            return {}
        chosen = self.contrast.confident(out, labels)
        self.contrast.update(out, chosen, 'target')
        return {f'{name}.loss_contrast': self.contrast(out, chosen, self.student, weight)}
