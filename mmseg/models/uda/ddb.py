"""DDB's second step: a fresh student learns from teachers that were self-trained on different mixtures.

Reference: Chen et al., "Deliberated Domain Bridging for Domain Adaptive Semantic Segmentation", NeurIPS 2022. Its first
step, self-training on images of both domains, is ``DACS`` with ``CutMix`` (coarse region path, cu) or ``ClassMix`` of
each image's own classes (fine class path, ca).

=====================  ==================================================
paper                  here
=====================  ==================================================
teachers (cu, ca)      ``teachers``
eta (prototypes)       ``TeacherPrototypes``
omega                  ``TeacherPrototypes.weights``
ensemble               ``step.pseudo`` (hard), ``step.soft_target`` (soft)
=====================  ==================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmseg.models.losses.named import prefixed
from mmseg.models.precision import at_least_float32, without_autocast
from mmseg.models.resize import resize
from mmseg.models.uda.building import build_component
from mmseg.models.uda.components.distillation import kl_distillation
from mmseg.models.uda.components.frozen_teachers import FrozenTeachers
from mmseg.models.uda.components.pseudo_labels import PseudoLabeler, PseudoLabels
from mmseg.models.uda.components.teacher_prototypes import TeacherPrototypes
from mmseg.models.uda.step import Losses, Step
from mmseg.models.uda.supervised import Supervised
from mmseg.registry import MODELS
from mmseg.structures import DomainBatch, TrainBatch

MODES = ('hard', 'soft')
RECTIFICATIONS = ('probability', 'logit', None)


@MODELS.register_module()
class CrossPathDistillation(Supervised):
    """Source images with their labels; augmented target images with what frozen teachers say of the clean ones.

    Args:
        model: config of the student.
        max_iters: length of the training.
        data_preprocessor: config of the data preprocessor; its ``mean`` and ``std`` are needed by the colour jitter.
        teachers: one or several, each with ``name``, ``checkpoint``, ``prototypes`` (a file of
            ``tools/cal_prototypes``), and the other settings of :class:`FrozenTeacher`.
        mode: ``hard``: the likeliest class of the teachers' mean; ``soft``: all their probabilities.
        rectify: what of a teacher is multiplied with the weights that its prototypes give to the classes: its
            ``probability`` (hard only), its ``logit``, or nothing (None), which needs no prototypes.
        tau: of these weights, softmax(-tau * distance).
        exclude_absent: a class that a teacher never predicted gets no weight, see :class:`TeacherPrototypes`.
        temperature: T of soft targets.
        soft_weight: factor on the loss of soft targets, beside T^2.
        pseudo_labels: settings of :class:`PseudoLabeler` for the hard targets; None = every pixel counts fully.
        strong_augment: settings of :class:`StrongAugment` for the student's target images; None = they stay as they
            are.
        feature_distance: settings of :class:`FeatureDistance`; None = off.
        source_augment: settings of :class:`StrongAugment` for the source images; None = they stay as they are.
        masking: settings of :class:`MaskedConsistency`, where ``same`` means these teachers; None = off.
        teacher: settings of :class:`EMATeacher`, for a masked pass with a teacher of its own.
        contrast: settings of :class:`PrototypeContrast`, for source and target images; None = off.

    Attributes:
        teachers: the frozen networks.
        prototypes: theirs; None without rectification.

    Raises:
        ValueError: for settings that are wrong or that nothing reads; when the weights are initialised, for a teacher
            without checkpoint or prototypes, or that does not fit.
        FileNotFoundError: then, for one whose file does not exist.
    """

    panel_prediction = 'target'

    def __init__(
        self,
        model: Mapping[str, Any] | nn.Module,
        max_iters: int | None = None,
        data_preprocessor: Mapping[str, Any] | nn.Module | None = None,
        teachers: Sequence[Mapping[str, Any]] = (),
        mode: str = 'hard',
        rectify: str | None = 'probability',
        tau: float = 1.0,
        exclude_absent: bool = False,
        temperature: float = 1.0,
        soft_weight: float = 0.1,
        pseudo_labels: Mapping[str, Any] | None = None,
        strong_augment: Mapping[str, Any] | None = None,
        feature_distance: Mapping[str, Any] | None = None,
        source_augment: Mapping[str, Any] | None = None,
        masking: Mapping[str, Any] | None = None,
        teacher: Mapping[str, Any] | None = None,
        contrast: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(model, max_iters, data_preprocessor, feature_distance, source_augment, contrast=contrast)
        _check_settings(mode, rectify, temperature)
        self.mode = mode
        self.rectify = rectify
        self.temperature = temperature
        self.soft_weight = soft_weight
        settings = [dict(one) for one in teachers]
        files = {one.get('name', ''): one.pop('prototypes', None) for one in settings}
        self.teachers = FrozenTeachers(settings, model, self.data_preprocessor)
        self.teachers.check_classes(self.student.num_classes)
        self.prototypes: TeacherPrototypes | None = None
        if rectify is not None:
            self.prototypes = TeacherPrototypes(self.teachers, files, tau, exclude_absent)
        labelling = {'weighting': 'none'} if pseudo_labels is None else pseudo_labels
        self.pseudo_labels = build_component(PseudoLabeler, labelling, 'uda.pseudo_labels')
        self.strong_augment = self.build_augment(strong_augment)
        self.mic = self.build_masking(model, masking, teacher, labelling, strong_augment, shared_teacher=True)

    def init_weights(self) -> None:
        """Initialise the student; read the teachers and their prototypes."""
        super().init_weights()
        if self.prototypes is not None:
            self.prototypes.read(self.teachers)

    @torch.no_grad()
    def prepare(self, batch: TrainBatch, decisions: Mapping[str, Any] | None = None) -> Step:
        step = super().prepare(batch, decisions)
        step.target_images = step.target.images
        if self.strong_augment is not None:
            step.target_images = self.augmented(step.target.images, self.strong_augment, step, 'strong_augment')
        return step

    def label_target(self, step: Step) -> PseudoLabels:
        target = self.target_of(step)
        mean = self.ensemble(target)
        if self.mode == 'soft':
            mean = step.soft_target = (mean / self.temperature).softmax(dim=1)
        return self.pseudo_labels.of_probabilities(mean, target.valid)

    def ensemble(self, target: DomainBatch) -> Tensor:
        """The teachers' mean, (B, C, H, W): of (weighted) probabilities for hard targets, of logits for soft ones."""
        votes = (self.vote(name, target.images) for name in self.teachers.names)
        total = next(votes)
        for vote in votes:
            total = total + vote
        return total / len(self.teachers.names)

    def vote(self, name: str, images: Tensor) -> Tensor:
        """What one teacher says of clean images (B, 3, H, W), rectified: (B, C, H, W), not adding up to 1."""
        with self.autocast(images.device):
            out = self.teachers(name, images, self.data_preprocessor)
        size = images.shape[2:]
        with without_autocast(images.device):
            logits = resize(at_least_float32(out.logits['main']), size, self.teachers.network(name).align_corners)
            weights = None
            if self.prototypes is not None:
                weights = self.prototypes.weights(name, out.embedding, size)
            return combined(logits, weights, self.rectify, as_logits=self.mode == 'soft')

    def passes(self) -> list[Callable[[Step], Losses]]:
        return [self.supervised, self.distilled, *self.masked_passes()]

    def distilled(self, step: Step) -> Losses:
        """Augmented target images with the teachers' labels or probabilities of the clean ones."""
        images = step.target_images
        out = self.student(images, self.crop_box(step, 'distilled', images))
        self.show(step, 'target', out, images)
        labels, weight = step.pseudo
        if self.mode == 'hard':
            losses = self.student.losses(out, labels, weight)
        else:
            logits = resize(at_least_float32(out.logits['main']), images.shape[2:], self.student.align_corners)
            divergence = kl_distillation(logits, step.soft_target, self.temperature, mask=step.target.valid)
            losses = {'loss_distill': self.soft_weight * self.temperature**2 * divergence}
        return prefixed('trg.', losses) | self.target_contrast('trg', out, labels, weight)

    def panel_images(self, step: Step) -> dict[str, Tensor]:
        return {
            **super().panel_images(step),
            'target_image': step.target_images,
            'pseudo_label': step.pseudo.labels,
            'pseudo_weight': step.pseudo.weight,
        }


def combined(logits: Tensor, weights: Tensor | None, rectify: str | None, as_logits: bool) -> Tensor:
    """A teacher's vote: probabilities or logits, (B, C, H, W), weighted by class and pixel.

    Args:
        logits: (B, C, H, W).
        weights: likewise; None = all classes alike.
        rectify: ``probability`` or ``logit``, what the weights multiply.
        as_logits: give logits, for soft targets.
    """
    if weights is not None and (as_logits or rectify == 'logit'):
        logits, weights = weights * logits, None
    if as_logits:
        return logits
    probabilities = logits.softmax(dim=1)
    return probabilities if weights is None else weights * probabilities


def _check_settings(mode: str, rectify: str | None, temperature: float) -> None:
    if mode not in MODES:
        raise ValueError(f'uda.mode {mode!r} does not exist, choose one of {", ".join(MODES)}')
    if rectify not in RECTIFICATIONS:
        raise ValueError(f'uda.rectify {rectify!r} does not exist, choose one of probability, logit, None')
    if mode == 'soft' and rectify == 'probability':
        raise ValueError("uda.rectify='probability' is for hard targets; soft ones are rectified by 'logit' or None")
    if not temperature > 0:
        raise ValueError(f'uda.temperature is above 0, not {temperature}')
