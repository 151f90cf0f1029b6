"""Training on labelled images alone: source-only, oracle, and the first pass of every adaptation method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from mmseg.models.uda.base import Losses, Step, UDADecorator
from mmseg.models.uda.building import build_component
from mmseg.models.uda.components.feature_distance import FeatureDistance
from mmseg.models.uda.components.frozen_encoder import FrozenEncoder, without_frozen_keys
from mmseg.models.uda.components.strong_augment import StrongAugment
from mmseg.registry import MODELS
from mmseg.structures import TrainBatch


def prefixed(prefix: str, losses: Losses) -> Losses:
    """The same values under names that say where they come from."""
    return {prefix + name: value for name, value in losses.items()}


@MODELS.register_module()
class Supervised(UDADecorator):
    """One pass: the segmentation losses of the source images, and optionally the ImageNet feature distance.

    Args:
        model: config of the student, or the segmentor itself.
        max_iters: length of the training.
        data_preprocessor: config of the data preprocessor.
        feature_distance: settings of :class:`FeatureDistance`; None = off.
        strong_augment: settings of :class:`StrongAugment` for the source images; None = they stay as they are.

    Raises:
        ValueError: for a strong augmentation without ``mean``; for a feature distance with settings it does not know,
            on a model given as a module (the frozen copy is built from the config), or, at the first step, on a
            backbone that loaded no pretrained weights.
    """

    def __init__(
        self,
        model: Mapping[str, Any] | nn.Module,
        max_iters: int | None = None,
        data_preprocessor: Mapping[str, Any] | nn.Module | None = None,
        feature_distance: Mapping[str, Any] | None = None,
        strong_augment: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(model, max_iters, data_preprocessor)
        self.source_augment = self.build_augment(strong_augment)
        self.feature_distance: FeatureDistance | None = None
        if feature_distance is not None:
            self.feature_distance = build_component(FeatureDistance, feature_distance, 'uda.feature_distance')
            self.imnet_model = FrozenEncoder(self.build_copy(model))
            self.register_load_state_dict_post_hook(without_frozen_keys)

    def build_copy(self, model: Mapping[str, Any] | nn.Module) -> Any:
        """A second network of the student's config, for a teacher or a frozen reference."""
        if isinstance(model, nn.Module):
            raise ValueError(f'{type(self).__name__} builds further networks from the config of the model: pass that')
        return self.build_segmentor(model)

    def build_augment(self, settings: Mapping[str, Any] | None) -> StrongAugment | None:
        """The strong augmentation, or None; it needs to know how images are normalised."""
        if settings is None:
            return None
        if not hasattr(self.data_preprocessor, 'mean'):
            raise ValueError('uda.strong_augment needs model.data_preprocessor with mean and std')
        return build_component(StrongAugment, settings, 'uda.strong_augment')

    def augmented(self, augment: StrongAugment, images: Tensor, step: Step) -> Tensor:
        """Images (B, 3, H, W) with colour jitter and blur."""
        drawn = step.decide('strong_augment', augment.draw, len(images), self.generator('strong_augment'))
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
            step.source = replace(step.source, images=self.augmented(self.source_augment, step.source.images, step))
        if self.feature_distance is not None:
            with self.autocast(step.source.images.device):
                step.imnet_features = self.imnet_model(step.source.images)
        return step

    def passes(self) -> list[Callable[[Step], Losses]]:
        return [self.supervised]

    def supervised(self, step: Step) -> Losses:
        """Source images; the feature distance shares their forward, and so their backward."""
        out = self.student(step.source.images, self.crop_box(step, 'supervised', step.source.images))
        losses = self.student.losses(out, step.source.labels)
        if self.feature_distance is not None:
            distance = self.feature_distance(
                out.features[-1], step.imnet_features[-1], step.source.labels, self.student.num_classes
            )
            losses |= prefixed('src.', distance)
        return losses
