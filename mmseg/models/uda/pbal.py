"""PBAL: the classifier's rows as prototypes, aligned with the target's features, then sharpened on pseudo-labels.

Reference: Ren et al., "Prototypical Bidirectional Adaptation and Learning for Cross-Domain Semantic Segmentation",
IEEE TMM 2023, in the form of its code.

====================  ==================================================
paper                 here
====================  ==================================================
BPL                   :class:`PBALBidirectional`, ``transport``
prototypes w_k        rows of ``student.decode_head.conv_seg``
PST                   :class:`PBALSelfTraining`, ``contrast``
tau                   ``contrast.temperature``
====================  ==================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from mmseg.models.losses.named import prefixed, weighted
from mmseg.models.uda.advseg import AdvSeg
from mmseg.models.uda.building import build_component
from mmseg.models.uda.components.transport import PrototypeTransport
from mmseg.models.uda.step import Losses, Step
from mmseg.models.uda.supervised import Supervised
from mmseg.registry import MODELS
from mmseg.structures import SegOutput, TrainBatch

PUBLISHED_WEIGHTS: Mapping[str, float] = MappingProxyType({'main': 0.01, 'aux': 0.0})
PUBLISHED_CONTRAST: Mapping[str, Any] = MappingProxyType(
    {'prototypes': 'classifier', 'temperature': 0.07, 'detach': False, 'divisor': 'all'}
)


@MODELS.register_module()
class PBALBidirectional(AdvSeg):
    """Stage 1: source images with their labels; target features and prototypes drawn to each other; an adversary.

    ``optim_wrapper`` has two optimizers, ``main`` and ``discriminator``; ``main`` alone without an adversary.

    Args:
        model: config of the student, whose classifier is a 1x1 convolution.
        max_iters: length of the training.
        data_preprocessor: config of the data preprocessor.
        adversarial_weight: lambda_adv of each head; None = 0.01 for ``main``, no discriminator for others; 0 = none.
        discriminator_loss: ``Vanilla`` (binary cross-entropy, as published) or ``LS``.
        transport: settings of :class:`PrototypeTransport`; None = off, which is the warm-up.
        feature_distance: settings of :class:`FeatureDistance`; None = off.
        source_augment: settings of :class:`StrongAugment` for the source images; None = they stay as they are.
        masking: settings of :class:`MaskedConsistency`, here always with a teacher of its own; None = off.
        teacher: settings of :class:`EMATeacher` for the masked pass.
        pseudo_labels: settings of :class:`PseudoLabeler` for the masked pass.
        strong_augment: settings of :class:`StrongAugment` for the masked pass.
        contrast: settings of :class:`PrototypeContrast`, for source and target images; None = off.

    Raises:
        ValueError: for settings that are wrong or that nothing reads.
    """

    def __init__(
        self,
        model: Mapping[str, Any] | nn.Module,
        max_iters: int | None = None,
        data_preprocessor: Mapping[str, Any] | nn.Module | None = None,
        adversarial_weight: Mapping[str, float] | None = None,
        discriminator_loss: str = 'Vanilla',
        transport: Mapping[str, Any] | None = MappingProxyType({}),
        feature_distance: Mapping[str, Any] | None = None,
        source_augment: Mapping[str, Any] | None = None,
        masking: Mapping[str, Any] | None = None,
        teacher: Mapping[str, Any] | None = None,
        pseudo_labels: Mapping[str, Any] | None = None,
        strong_augment: Mapping[str, Any] | None = None,
        contrast: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            model,
            max_iters,
            data_preprocessor,
            discriminator_loss=discriminator_loss,
            adversarial_weight=PUBLISHED_WEIGHTS if adversarial_weight is None else adversarial_weight,
            main_optimizer_steps_discriminators=False,
            feature_distance=feature_distance,
            source_augment=source_augment,
            masking=masking,
            teacher=teacher,
            pseudo_labels=pseudo_labels,
            strong_augment=strong_augment,
            contrast=contrast,
        )
        self.transport: PrototypeTransport | None = None
        if transport is not None:
            self.transport = build_component(PrototypeTransport, transport, 'uda.transport')
            self.transport.check(self.student)

    def target_losses(self, step: Step, out: SegOutput) -> Losses:
        losses = super().target_losses(step, out)
        return losses if self.transport is None else losses | prefixed('trg.', self.transport(out, self.student))


@MODELS.register_module()
class PBALSelfTraining(Supervised):
    """Stage 2: source images with labels, target images with pseudo-labels, and a contrast with the prototypes in both.

    The target dataset loads its pseudo-labels as label maps (``LoadPseudoLabels`` in its pipeline).

    Args:
        model: config of the student, whose classifier is a 1x1 convolution.
        max_iters: length of the training.
        data_preprocessor: config of the data preprocessor.
        contrast: settings of :class:`PrototypeContrast`; those left out are PBAL's: live rows of the classifier, 0.07,
            divided by all positions. None = off.
        target_weight: factor on the segmentation losses of target images.
        legacy_target_norm: target images go in as 0..1, without mean and standard deviation, as in the published code.
        feature_distance: settings of :class:`FeatureDistance`; None = off.
        source_augment: settings of :class:`StrongAugment` for the source images; None = they stay as they are.

    Raises:
        ValueError: for settings that are wrong; for ``legacy_target_norm`` without a normalisation to undo.
    """

    panel_prediction = 'target'

    def __init__(
        self,
        model: Mapping[str, Any] | nn.Module,
        max_iters: int | None = None,
        data_preprocessor: Mapping[str, Any] | nn.Module | None = None,
        contrast: Mapping[str, Any] | None = MappingProxyType({}),
        target_weight: float = 1.0,
        legacy_target_norm: bool = False,
        feature_distance: Mapping[str, Any] | None = None,
        source_augment: Mapping[str, Any] | None = None,
    ) -> None:
        settings = None if contrast is None else {**PUBLISHED_CONTRAST, **contrast}
        super().__init__(model, max_iters, data_preprocessor, feature_distance, source_augment, contrast=settings)
        if target_weight < 0:
            raise ValueError(f'uda.target_weight is at least 0, not {target_weight}')
        if legacy_target_norm and not hasattr(self.data_preprocessor, 'mean'):
            raise ValueError('uda.legacy_target_norm needs model.data_preprocessor with mean and std')
        self.target_weight = target_weight
        self.legacy_target_norm = legacy_target_norm

    @torch.no_grad()
    def prepare(self, batch: TrainBatch, decisions: Mapping[str, Any] | None = None) -> Step:
        step = super().prepare(batch, decisions)
        target = self.target_of(step)
        if target.labels is None:
            raise ValueError(
                'PBALSelfTraining: the target images have no pseudo-labels; make them (tools/make_pseudo_labels.py), '
                'name their folder in train_dataloader.dataset.target.data_prefix.seg_map_path and put '
                'LoadPseudoLabels into its pipeline'
            )
        if self.legacy_target_norm:
            mean, std = self.data_preprocessor.mean, self.data_preprocessor.std
            step.target = replace(target, images=(target.images * std + mean) / 255)
        return step

    def passes(self) -> list[Callable[[Step], Losses]]:
        return [self.supervised, self.self_training]

    def self_training(self, step: Step) -> Losses:
        """Target images, as if their pseudo-labels were true."""
        target = step.target
        out = self.student(target.images, self.crop_box(step, 'self_training', target.images))
        self.show(step, 'target', out, target.images)
        losses = prefixed('trg.', weighted(self.target_weight, self.student.losses(out, target.labels)))
        if self.contrast is not None:
            self.contrast.update(out, target.labels, 'target')
            losses['trg.loss_contrast'] = self.contrast(out, target.labels, self.student)
        return losses

    def panel_images(self, step: Step) -> dict[str, Tensor]:
        return {**super().panel_images(step), 'target_image': step.target.images, 'target_label': step.target.labels}
