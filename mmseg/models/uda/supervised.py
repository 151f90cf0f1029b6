"""Training on labelled images alone: source-only, oracle, and the first pass of every adaptation method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from mmseg.models.losses.named import prefixed
from mmseg.models.uda.building import build_component
from mmseg.models.uda.components.feature_distance import FeatureDistance
from mmseg.models.uda.components.frozen_encoder import FrozenEncoder, without_frozen_keys
from mmseg.models.uda.components.pseudo_labels import PseudoLabels
from mmseg.models.uda.components.strong_augment import StrongAugment
from mmseg.models.uda.contrast_training import ContrastTraining
from mmseg.models.uda.masked_training import MaskedTraining
from mmseg.models.uda.step import Losses, Step
from mmseg.registry import MODELS
from mmseg.structures import DomainBatch, SegOutput, TrainBatch


@MODELS.register_module()
class Supervised(MaskedTraining, ContrastTraining):
    """The segmentation losses of the source images; optionally feature distance, contrast and a masked pass.

    Args:
        model: config of the student, or the segmentor itself.
        max_iters: length of the training.
        data_preprocessor: config of the data preprocessor.
        feature_distance: settings of :class:`FeatureDistance`; None = off.
        source_augment: settings of :class:`StrongAugment` for the source images; None = they stay as they are.
        masking: settings of :class:`MaskedConsistency`; None = off. On target images it works with a teacher of its
            own, as there is no other.
        teacher: settings of :class:`EMATeacher` for it.
        pseudo_labels: settings of :class:`PseudoLabeler` for it.
        strong_augment: settings of :class:`StrongAugment` for the masked images, in modes with ``aug``.
        contrast: settings of :class:`PrototypeContrast`; None = off.

    Raises:
        ValueError: for settings that are wrong or that nothing reads; for a strong augmentation without ``mean``; for a
            feature distance or a teacher on a model given as a module (copies are built from the config); at the first
            step for a feature distance on a backbone that loaded no pretrained weights.
    """

    def __init__(
        self,
        model: Mapping[str, Any] | nn.Module,
        max_iters: int | None = None,
        data_preprocessor: Mapping[str, Any] | nn.Module | None = None,
        feature_distance: Mapping[str, Any] | None = None,
        source_augment: Mapping[str, Any] | None = None,
        masking: Mapping[str, Any] | None = None,
        teacher: Mapping[str, Any] | None = None,
        pseudo_labels: Mapping[str, Any] | None = None,
        strong_augment: Mapping[str, Any] | None = None,
        contrast: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(model, max_iters, data_preprocessor)
        self.contrast = self.build_contrast(contrast)
        self.source_augment = self.build_augment(source_augment, 'uda.source_augment')
        self.mic = self.build_masking(model, masking, teacher, pseudo_labels, strong_augment)
        self.feature_distance: FeatureDistance | None = None
        if feature_distance is not None:
            self.feature_distance = build_component(FeatureDistance, feature_distance, 'uda.feature_distance')
            self.feature_distance.check_classes(self.student.num_classes)
            self.imnet_model = FrozenEncoder(self.build_copy(model))
            self.register_load_state_dict_post_hook(without_frozen_keys)

    def augmented(self, images: Tensor, augment: StrongAugment, step: Step, name: str) -> Tensor:
        """Images (B, 3, H, W) with colour jitter and blur, whose random decisions are called ``name``."""
        drawn = step.decide(name, augment.draw, len(images), self.generator(name))
        return augment.apply(images, drawn, self.data_preprocessor.mean, self.data_preprocessor.std)

    def init_weights(self) -> None:
        """Initialise all networks; fails early if the feature distance has no pretrained weights."""
        super().init_weights()
        if self.feature_distance is not None:
            self.imnet_model.check_pretrained()

    @torch.no_grad()
    def prepare(self, batch: TrainBatch, decisions: Mapping[str, Any] | None = None) -> Step:
        step = super().prepare(batch, decisions)
        if self.source_augment is not None:
            images = self.augmented(step.source.images, self.source_augment, step, 'source_augment')
            step.source = replace(step.source, images=images)
        if self.feature_distance is not None:
            with self.autocast(step.source.images.device):
                box = self.crop_box(step, 'supervised', step.source.images)
                views = self.student.feature_views(step.source.images, box)
                step.imnet_features = [self.imnet_model(view)[-1] for view in views]
        step.pseudo = self.label_target(step)
        if self.mic is not None:
            step.masked = self.masked_batch(self.mic, step)
        return step

    def label_target(self, step: Step) -> PseudoLabels | None:
        """Pseudo-labels of the method's own teacher; None = it has no teacher."""
        return None

    def target_of(self, step: Step) -> DomainBatch:
        """The target images.

        Raises:
            ValueError: if the training has none.
        """
        if step.target is None:
            raise ValueError(
                f'{type(self).__name__} adapts to a target domain: train_dataloader.dataset must be a UDADataset'
            )
        return step.target

    def passes(self) -> list[Callable[[Step], Losses]]:
        return [self.supervised, *self.masked_passes()]

    def supervised(self, step: Step) -> Losses:
        """Source images; feature distance and contrast share their forward, and so their backward."""
        out = self.student(step.source.images, self.crop_box(step, 'supervised', step.source.images))
        self.show(step, 'source', out, step.source.images)
        return self.source_losses(step, out)

    def source_losses(self, step: Step, out: SegOutput) -> Losses:
        """Segmentation losses, contrast and feature distance of the student's output for the source images."""
        losses = self.student.losses(out, step.source.labels) | self.source_contrast(out, step.source.labels)
        if self.feature_distance is not None:
            pairs = self.student.compared_features(out, step.source.labels)
            distance = self.feature_distance.of_views(pairs, step.imnet_features, self.student.num_classes)
            losses |= prefixed('src.', distance)
        return losses
