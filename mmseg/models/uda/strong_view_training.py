"""Methods that show the student a strong view of the target images (ProDA)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mmseg.models.uda.building import build_component
from mmseg.models.uda.components.rand_augment import RandAugment
from mmseg.models.uda.components.view_geometry import ViewChange
from mmseg.models.uda.step import Step
from mmseg.models.uda.supervised import Supervised


class StrongViewTraining(Supervised):
    """Makes ``step.strong_images`` out of the target images, by decisions that are called ``strong_view``.

    Attributes:
        strong_view: what is done to the images.
    """

    strong_view: RandAugment

    def build_strong_view(self, settings: Mapping[str, Any] | None) -> RandAugment:
        """The strong view; it needs to know how images are normalised."""
        if not hasattr(self.data_preprocessor, 'mean'):
            raise ValueError('uda.strong_view needs model.data_preprocessor with mean and std')
        return build_component(RandAugment, settings, 'uda.strong_view')

    @torch.no_grad()
    def make_strong_view(self, step: Step) -> Sequence[ViewChange]:
        """Leave the strong images in the step; what was done to each comes back, for labels to follow."""
        images = self.target_of(step).images
        drawn = self.generator('strong_view')
        changes: Sequence[ViewChange] = step.decide(
            'strong_view', self.strong_view.draw, len(images), images.shape[2:], drawn
        )
        step.strong_images = step.decide('strong_images', self._applied, images, changes)
        return changes

    def _applied(self, images: Tensor, changes: Sequence[ViewChange]) -> Tensor:
        return self.strong_view.apply(images, changes, self.data_preprocessor.mean, self.data_preprocessor.std)
