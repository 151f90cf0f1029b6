"""ProDA's stages 2 and 3, and PBAL's 3: a new student learns hard labels and a frozen teacher's soft ones.

Reference: Zhang et al., "Prototypical Pseudo Label Denoising and Target Structure Learning for Domain Adaptive Semantic
Segmentation", CVPR 2021, section 3.4.

=============  ==================================================
paper          here
=============  ==================================================
h, h^+         ``teachers``, ``student``
T'(x_t)        ``step.strong_images``
y_t            ``step.strong_labels``
beta           ``weight``
=============  ==================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmseg.models.losses.named import prefixed
from mmseg.models.precision import at_least_float32
from mmseg.models.resize import resize, resize_labels
from mmseg.models.uda.components.distillation import kl_distillation, published_distillation
from mmseg.models.uda.components.frozen_teachers import FrozenTeachers
from mmseg.models.uda.step import Losses, Step
from mmseg.models.uda.strong_view_training import StrongViewTraining
from mmseg.registry import MODELS
from mmseg.structures import IGNORE, TrainBatch

KINDS = ('kl', 'published')


@MODELS.register_module()
class PrototypeDistillation(StrongViewTraining):
    """Source images with their labels; strong views of target images with pseudo-labels and a teacher's probabilities.

    The target dataset loads pseudo-labels in place of labels (``tools/make_pseudo_labels.py``).

    Args:
        model: config of the student.
        max_iters: length of the training.
        data_preprocessor: config of the data preprocessor; its ``mean`` and ``std`` are needed by the strong view.
        teachers: settings of :class:`FrozenTeachers`, here of one: ``name``, ``model`` and ``checkpoint``.
        distillation: ``kl``: KL(teacher || student), divided by pixels and classes; ``published``: what ProDA's code
            computes, see :func:`published_distillation`.
        weight: beta, factor on the distillation.
        distil_padding: what the strong view pads and cuts out is distilled too, as published.
        strong_view: settings of :class:`RandAugment`.
        feature_distance: settings of :class:`FeatureDistance`; None = off.
        source_augment: settings of :class:`StrongAugment` for the source images; None = they stay as they are.

    Raises:
        ValueError: for settings that make no sense, and for target images without pseudo-labels.
    """

    panel_prediction = 'strong'

    def __init__(
        self,
        model: Mapping[str, Any] | nn.Module,
        max_iters: int | None = None,
        data_preprocessor: Mapping[str, Any] | nn.Module | None = None,
        teachers: Sequence[Mapping[str, Any]] = (),
        distillation: str = 'kl',
        weight: float = 1.0,
        distil_padding: bool = True,
        strong_view: Mapping[str, Any] | None = None,
        feature_distance: Mapping[str, Any] | None = None,
        source_augment: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(model, max_iters, data_preprocessor, feature_distance, source_augment)
        if distillation not in KINDS:
            raise ValueError(f'uda.distillation is one of {", ".join(KINDS)}, not {distillation!r}')
        if len(teachers) != 1:
            raise ValueError(f'uda.teachers: PrototypeDistillation has one teacher, got {len(teachers)}')
        self.teachers = FrozenTeachers(teachers, model, self.data_preprocessor)
        self.teachers.check_classes(self.student.num_classes)
        self.distillation = distillation
        self.weight = weight
        self.distil_padding = distil_padding
        self.strong_view = self.build_strong_view(strong_view)

    @torch.no_grad()
    def prepare(self, batch: TrainBatch, decisions: Mapping[str, Any] | None = None) -> Step:
        step = super().prepare(batch, decisions)
        target = self.target_of(step)
        if target.labels is None:
            raise ValueError(
                'PrototypeDistillation learns from pseudo-labels: add LoadPseudoLabels to the pipeline of the target, '
                'whose seg_map_path is the folder of tools/make_pseudo_labels.py'
            )
        changes = self.make_strong_view(step)
        step.strong_labels = self.strong_view.move_labels(target.labels, changes)
        with self.autocast(target.images.device):
            (name,) = self.teachers.names
            out = self.teachers(name, step.strong_images, self.data_preprocessor)
        size, corners = step.strong_labels.shape[1:], self.teachers.network(name).align_corners
        step.teacher = resize(at_least_float32(out.logits['main']), size, corners).softmax(dim=1)
        if not self.distil_padding:
            everywhere = torch.ones_like(step.strong_labels)[:, None].to(step.teacher.dtype)
            step.inside = self.strong_view.move(everywhere, changes, self.strong_view.label_stride)[1]
        return step

    def passes(self) -> list[Callable[[Step], Losses]]:
        return [self.supervised, self.distil]

    def distil(self, step: Step) -> Losses:
        """Strong views: pseudo-labels, and the teacher's probabilities."""
        images = step.strong_images
        out = self.student(images, self.crop_box(step, 'distil', images))
        self.show(step, 'strong', out, images)
        losses = prefixed('trg.', self.student.losses(out, step.strong_labels))
        logits = at_least_float32(out.logits['main'])
        logits = resize(logits, step.strong_labels.shape[1:], self.student.align_corners)
        mask = None if self.distil_padding else step.inside
        if self.distillation == 'kl':
            distance = kl_distillation(logits, step.teacher, mean='element', mask=mask)
        else:
            distance = published_distillation(logits, step.teacher, mask)
        losses['trg.loss_distil'] = self.weight * distance
        losses['trg.kept'] = (step.strong_labels != IGNORE).to(distance.dtype).mean()
        return losses

    def panel_images(self, step: Step) -> dict[str, Tensor]:
        labels = resize_labels(step.strong_labels, step.strong_images.shape[2:])
        strong = {'strong_image': step.strong_images, 'strong_label': labels}
        return {**super().panel_images(step), 'target_image': step.target.images, **strong}
