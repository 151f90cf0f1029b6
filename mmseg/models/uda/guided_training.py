"""Depth guidance in a method whose teacher labels target images (CDDA)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from mmseg.models.uda.base import UDADecorator
from mmseg.models.uda.building import build_component
from mmseg.models.uda.components.depth_guidance import DepthGuidance
from mmseg.models.uda.components.depth_relabel import guidance_loss
from mmseg.models.uda.components.pseudo_labels import JudgedLabels, PseudoLabeler
from mmseg.models.uda.step import Losses, Step
from mmseg.structures import IGNORE, DomainBatch


class GuidedTraining(UDADecorator):
    """A method with the pass ``guided`` if ``depth_guidance`` is set; :meth:`guide` changes its pseudo-labels.

    Attributes:
        depth_guidance: what compares and decides; None = no guidance.
        pseudo_labels: how the method's teacher labels.
    """

    depth_guidance: DepthGuidance | None
    pseudo_labels: PseudoLabeler

    def build_guidance(self, settings: Mapping[str, Any] | None) -> DepthGuidance | None:
        """What ``depth_guidance`` is to be; it needs to know how images are normalised."""
        if settings is None:
            return None
        if not hasattr(self.data_preprocessor, 'normalize'):
            raise ValueError('uda.depth_guidance needs model.data_preprocessor with mean and std')
        guidance = build_component(DepthGuidance, settings, 'uda.depth_guidance')
        foreign = [index for index in guidance.ignore_classes if not 0 <= index < self.student.num_classes]
        if foreign:
            raise ValueError(
                f'uda.depth_guidance.ignore_classes has {foreign}, but the network has classes 0 to '
                f'{self.student.num_classes - 1}'
            )
        return guidance

    def init_weights(self) -> None:
        """Initialise all networks; fails before, if the bank is not whole."""
        if self.depth_guidance is not None:
            self.depth_guidance.open(self.student.num_classes, next(self.student.parameters()).device)
        super().init_weights()

    @torch.no_grad()
    def guide(self, step: Step, judged: JudgedLabels) -> JudgedLabels:
        """Pseudo-labels with the weights that depth gives them; nothing changes without ``depth_guidance``.

        Args:
            step: gets ``guidance``, ``guidance_weight`` and ``crops``, which are read while the device works.
            judged: before margins.

        Raises:
            ValueError: the target has no depth.
        """
        if self.depth_guidance is None:
            return judged
        target = step.target
        if target.depth is None:
            raise ValueError('uda.depth_guidance needs the depth of target images: add LoadDepth to their pipeline')
        self.depth_guidance.open(self.student.num_classes, target.images.device)
        picture = picture_area(target)
        labels = judged.labels if picture is None else judged.labels.masked_fill(~picture, IGNORE)
        step.guidance = self.depth_guidance.assess(
            labels, judged.confident, judged.weight, target.depth, self.iteration
        )
        step.crops = self.depth_guidance.start_reading(step.guidance.replacements)
        weight = self.depth_guidance.guidance_weight * judged.weight
        if picture is not None:
            weight = weight * picture
        if self.depth_guidance.valid_only:
            weight = self.pseudo_labels.with_margins(judged._replace(weight=weight), target.valid).weight
        step.guidance_weight = weight
        return judged._replace(weight=step.guidance.weight)

    def mix_source(self, step: Step) -> DomainBatch:
        """The source images of the mix: those of the batch, some of them replaced by similar crops.

        Raises:
            ValueError: for crops of another size than the images.
        """
        if self.depth_guidance is None or not step.crops:
            return step.source
        slots = torch.tensor(list(step.crops))
        read = [crop.result() for crop in step.crops.values()]
        size = tuple(step.source.images.shape[2:])
        if foreign := {tuple(label.shape) for _, label in read} - {size}:
            raise ValueError(
                f'uda.depth_guidance: source crops of {foreign.pop()} for training images of {size}; make the bank '
                'with the config that is trained'
            )
        slots = slots.to(step.source.images.device, non_blocking=True)
        images = self.data_preprocessor.normalize(torch.stack([image for image, _ in read]))
        labels = torch.stack([label for _, label in read]).to(slots.device, non_blocking=True).long()
        return replace(
            step.source,
            images=step.source.images.index_copy(0, slots, images.to(step.source.images.dtype)),
            labels=step.source.labels.index_copy(0, slots, labels),
        )

    def guided_passes(self) -> list[Callable[[Step], Losses]]:
        """The guidance pass, if there is one."""
        return [] if self.depth_guidance is None else [self.guided]

    def guided(self, step: Step) -> Losses:
        """Whole target images, where some lack classes that they should have; nothing if none does."""
        log = dict(step.guidance.log)
        if not step.guidance.runs:
            return {'tgt.loss': step.target.images.new_zeros(()), **log}
        out = self.student(step.target.images, self.crop_box(step, 'guided', step.target.images))
        labels, soft = step.pseudo.labels, step.guidance.soft
        return {'tgt.loss': guidance_loss(out.logits['main'], labels, soft, step.guidance_weight), **log}


def picture_area(batch: DomainBatch) -> Tensor | None:
    """(B, H, W) bool, False in the padding of small images; None if no image is padded."""
    full = tuple(batch.images.shape[2:])
    sizes = [tuple(meta.get('img_shape', full)) for meta in batch.meta]
    if all(size == full for size in sizes):
        return None
    area = torch.zeros(len(batch.images), *full, dtype=torch.bool)
    for index, (height, width) in enumerate(sizes):
        area[index, :height, :width] = True
    return area.to(batch.images.device, non_blocking=True)
