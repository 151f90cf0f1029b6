"""DACS, DAFormer, MIC and CDDA: self-training on images in which source classes are pasted onto target images.

References: DACS (Tranheden et al., WACV 2021); DAFormer (Hoyer et al., CVPR 2022), which is DACS with
``feature_distance``, rare class sampling and pseudo-label margins (the latter two are settings of the data);
MIC (Hoyer et al., CVPR 2023), which adds ``masking``. ``depth_guidance`` makes CDDA of each of them.

=============  ==================================================
paper          here
=============  ==================================================
g, h           ``student``, ``ema_model``
alpha, tau     ``teacher.alpha``, ``pseudo_labels.threshold``
p_T, q_T       ``step.pseudo.labels``, ``step.pseudo.weight``
x_M, y_M       ``step.mixed.images``, ``step.mixed.labels``
lambda_FD      ``feature_distance.weight``
x^M, lambda^M  ``step.masked.images``, ``masking.weight``
=============  ==================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmseg.models.losses.named import prefixed
from mmseg.models.precision import without_autocast
from mmseg.models.uda.building import build_component
from mmseg.models.uda.components.ema_teacher import EMATeacher
from mmseg.models.uda.components.mixing import MixedBatch, Mixing
from mmseg.models.uda.components.pseudo_labels import PseudoLabeler, PseudoLabels
from mmseg.models.uda.guided_training import GuidedTraining
from mmseg.models.uda.step import Losses, Step
from mmseg.models.uda.supervised import Supervised
from mmseg.registry import MODELS
from mmseg.structures import TrainBatch


@MODELS.register_module()
class DACS(Supervised, GuidedTraining):
    """Source images with their labels, mixed images with labels of source and teacher; optionally masked images.

    Args:
        model: config of the student.
        max_iters: length of the training.
        data_preprocessor: config of the data preprocessor; its ``mean`` and ``std`` are needed by the colour jitter.
        teacher: settings of :class:`EMATeacher`.
        pseudo_labels: settings of :class:`PseudoLabeler`.
        mixing: type (``ClassMix``, ``CutMix``, ``NoMix``) and settings of the mixing.
        strong_augment: settings of :class:`StrongAugment`; None = the mixed images stay as they are.
        feature_distance: settings of :class:`FeatureDistance`; None = off.
        source_augment: settings of :class:`StrongAugment` for the source images; None = they stay as they are, as in
            the published methods.
        masking: settings of :class:`MaskedConsistency`; None = off.
        contrast: settings of :class:`PrototypeContrast`, for source and mixed images; None = off.
        depth_guidance: settings of :class:`DepthGuidance`; None = off.

    Raises:
        ValueError: for settings that are wrong or that nothing reads, and for a strong augmentation without ``mean``.
    """

    panel_prediction = 'mixed'

    def __init__(
        self,
        model: Mapping[str, Any] | nn.Module,
        max_iters: int | None = None,
        data_preprocessor: Mapping[str, Any] | nn.Module | None = None,
        teacher: Mapping[str, Any] | None = None,
        pseudo_labels: Mapping[str, Any] | None = None,
        mixing: Mapping[str, Any] | None = None,
        strong_augment: Mapping[str, Any] | None = None,
        feature_distance: Mapping[str, Any] | None = None,
        source_augment: Mapping[str, Any] | None = None,
        masking: Mapping[str, Any] | None = None,
        contrast: Mapping[str, Any] | None = None,
        depth_guidance: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(model, max_iters, data_preprocessor, feature_distance, source_augment, contrast=contrast)
        self.depth_guidance = self.build_guidance(depth_guidance)
        self.teacher = build_component(EMATeacher, teacher, 'uda.teacher')
        self.pseudo_labels = build_component(PseudoLabeler, pseudo_labels, 'uda.pseudo_labels')
        self.mixing: Mixing = build_component(None, mixing or {'type': 'ClassMix'}, 'uda.mixing')
        self.strong_augment = self.build_augment(strong_augment)
        self.ema_model = self.build_copy(model)
        self.teacher.freeze(self.ema_model)
        self.mic = self.build_masking(model, masking, teacher, pseudo_labels, strong_augment, shared_teacher=True)

    @torch.no_grad()
    def prepare(self, batch: TrainBatch, decisions: Mapping[str, Any] | None = None) -> Step:
        step = super().prepare(batch, decisions)
        # With depth guidance files are still being read, while the first passes keep the device busy.
        step.mixed = self.mix(step) if self.depth_guidance is None else None
        return step

    def mixed_batch(self, step: Step) -> MixedBatch:
        """The mix, made now if it was put off."""
        if step.mixed is None:
            step.mixed = self.mix(step)
        return step.mixed

    @torch.no_grad()
    def mix(self, step: Step) -> MixedBatch:
        """Source and target images in one, augmented."""
        source, mixing = self.mix_source(step), self.mixing
        drawn = step.decide(mixing.decision, mixing.draw, source.labels, self.generator('mixing'))
        mixed = mixing.apply(source, step.target, step.pseudo, drawn)
        if self.strong_augment is None:
            return mixed
        with without_autocast(mixed.images.device):
            return mixed._replace(images=self.augmented(mixed.images, self.strong_augment, step, 'strong_augment'))

    def label_target(self, step: Step) -> PseudoLabels:
        target = self.target_of(step)
        if self.micro_batch == 0:
            self.teacher.update(self.ema_model, self.student, self.iteration)
        with self.autocast(target.images.device):
            predicted = self.teacher(self.ema_model, target.images)
        judged = self.pseudo_labels.judge(predicted)
        return self.pseudo_labels.with_margins(self.guide(step, judged), target.valid)

    def passes(self) -> list[Callable[[Step], Losses]]:
        return [self.supervised, *self.guided_passes(), self.mixed, *self.masked_passes()]

    def mixed(self, step: Step) -> Losses:
        """Mixed images."""
        images, labels, weight = self.mixed_batch(step)
        out = self.student(images, self.crop_box(step, 'mixed', images))
        self.show(step, 'mixed', out, images)
        losses = prefixed('mix.', self.student.losses(out, labels, weight))
        return losses | self.target_contrast('mix', out, labels, weight)

    def train(self, mode: bool = True) -> DACS:
        """Dropout and drop path of the teacher stay off."""
        super().train(mode)
        if mode and hasattr(self, 'teacher'):
            self.teacher.freeze(self.ema_model)
        return self

    def inference_model(self) -> Any:
        return self.ema_model if self.evaluate_teacher else self.student

    def panel_images(self, step: Step) -> dict[str, Tensor]:
        mixed = self.mixed_batch(step)
        return {
            **super().panel_images(step),
            'target_image': step.target.images,
            'pseudo_label': step.pseudo.labels,
            'pseudo_weight': step.pseudo.weight,
            'mixed_image': mixed.images,
            'mixed_label': mixed.labels,
            'mixed_weight': mixed.weight,
        }
