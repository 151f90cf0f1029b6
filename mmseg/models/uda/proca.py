"""ProCA: prototypes that both domains share, and a contrast of every confident position with them.

Reference: Jiang et al., "Prototypical Contrast Adaptation for Domain Adaptive Semantic Segmentation", ECCV 2022.

==================  ==================================================
paper               here
==================  ==================================================
F                   ``student``
eta_k, n_k          ``PrototypeBank.vectors``, ``PrototypeBank.counts``
tau                 ``temperature``
delta               ``threshold``
lambda_feat, _out   ``feature_weight``, ``output_weight``
==================  ==================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmseg.engine.prototype_files import FILES, fill_bank
from mmseg.models.resize import resize_labels
from mmseg.models.uda.building import build_component
from mmseg.models.uda.components.contrast import PrototypeContrast, embedding_channels, own_logits
from mmseg.models.uda.components.memory_bank import MemoryBankContrast
from mmseg.models.uda.step import Losses, Step
from mmseg.models.uda.supervised import Supervised
from mmseg.registry import MODELS
from mmseg.structures import IGNORE, SegOutput, TrainBatch

NAMES = {'feature': 'feat', 'output': 'out'}


@MODELS.register_module()
class ProCA(Supervised):
    """Source images with their labels; both domains' features, and class scores, against shared prototypes.

    Args:
        model: config of the student.
        max_iters: length of the training.
        data_preprocessor: config of the data preprocessor.
        prototypes: folder with the files of ``tools/init_prototypes.py``, or of the original; None = start at zero.
        temperature: tau.
        threshold: delta; a target position takes part if the student's highest score reaches it.
        confidence: that score: ``logit``, as in the published runs, or ``probability``.
        feature_weight: weight of the contrast of features; 0 = off.
        output_weight: weight of the contrast of class scores; 0 = off.
        rule: how prototypes follow features, see :class:`PrototypeBank`.
        update: which domains they follow: ``both``, ``source``, or they stay ``fixed``.
        sync: prototypes of all processes together; False = each its own, as published.
        memory_bank: settings of :class:`MemoryBankContrast`, the paper's ablation, in place of prototypes.
        feature_distance: settings of :class:`FeatureDistance`; None = off.
        source_augment: settings of :class:`StrongAugment` for the source images; None = they stay as they are.
        masking: settings of :class:`MaskedConsistency`, here always with a teacher of its own; None = off.
        teacher: settings of :class:`EMATeacher` for the masked pass.
        pseudo_labels: settings of :class:`PseudoLabeler` for the masked pass.
        strong_augment: settings of :class:`StrongAugment` for the masked pass.

    Attributes:
        contrasts: by the level's short name, ``feat`` and ``out``.
        memory: the memory bank; None in the method proper.

    Raises:
        ValueError: for settings that are wrong or that nothing reads.
        FileNotFoundError: prototypes that are not there, when the weights are initialised.
    """

    panel_prediction = 'target'

    def __init__(
        self,
        model: Mapping[str, Any] | nn.Module,
        max_iters: int | None = None,
        data_preprocessor: Mapping[str, Any] | nn.Module | None = None,
        prototypes: str | None = None,
        temperature: float = 50.0,
        threshold: float = 0.9,
        confidence: str = 'logit',
        feature_weight: float = 1.0,
        output_weight: float = 1.0,
        rule: str | Mapping[str, Any] = 'pixel_mean',
        update: str = 'both',
        sync: bool = True,
        memory_bank: Mapping[str, Any] | None = None,
        feature_distance: Mapping[str, Any] | None = None,
        source_augment: Mapping[str, Any] | None = None,
        masking: Mapping[str, Any] | None = None,
        teacher: Mapping[str, Any] | None = None,
        pseudo_labels: Mapping[str, Any] | None = None,
        strong_augment: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(model, max_iters, data_preprocessor, feature_distance, source_augment)
        self.mic = self.build_masking(model, masking, teacher, pseudo_labels, strong_augment)
        self.prototypes = prototypes
        shared: dict[str, Any] = {'temperature': temperature, 'threshold': threshold, 'confidence': confidence}
        weights = {'feature': feature_weight, 'output': output_weight}
        levels = [level for level, weight in weights.items() if weight] if memory_bank is None else []
        self.contrasts = nn.ModuleDict(
            {
                NAMES[level]: PrototypeContrast(
                    **shared, weight=weights[level], level=level, rule=rule, update=update, sync=sync
                ).attach(self.student)
                for level in levels
            }
        )
        self.memory: MemoryBankContrast | None = None
        if memory_bank is not None:
            bank: MemoryBankContrast = build_component(MemoryBankContrast, memory_bank, 'uda.memory_bank')
            self.memory = bank.attach(self.student.num_classes, embedding_channels(self.student))
        # The control experiment without any contrast still says how many positions would take part.
        self.judge = PrototypeContrast(**shared)

    def init_weights(self) -> None:
        """Initialise all networks, and the prototypes from their files."""
        super().init_weights()
        if self.prototypes is not None:
            for contrast in self._contrasts().values():
                fill_bank(contrast.bank, Path(self.prototypes) / FILES[contrast.level])

    @torch.no_grad()
    def prepare(self, batch: TrainBatch, decisions: Mapping[str, Any] | None = None) -> Step:
        step = super().prepare(batch, decisions)
        self.target_of(step)
        return step

    def passes(self) -> list[Callable[[Step], Losses]]:
        return [self.adapt, *self.masked_passes()]

    def adapt(self, step: Step) -> Losses:
        """Source, then target images; the prototypes take in the batch before it is compared with them."""
        source = self.student(step.source.images, self.crop_box(step, 'adapt_source', step.source.images))
        target = self.student(step.target.images, self.crop_box(step, 'adapt_target', step.target.images))
        self.show(step, 'target', target, step.target.images)
        labels = self.judge.confident(target)
        if self.panel_due:
            step.shown['target_label'] = resize_labels(labels, step.target.images.shape[2:])
        losses = self.source_losses(step, source)
        losses['trg.kept'] = (labels != IGNORE).to(target.logits['main'].dtype).mean()
        if self.memory is not None:
            return losses | self._compare_with_memory(step, self.memory, source, target, labels)
        return losses | self._compare_with_prototypes(step, source, target, labels)

    def _compare_with_prototypes(self, step: Step, source: SegOutput, target: SegOutput, labels: Tensor) -> Losses:
        losses: Losses = {}
        for name, contrast in self._contrasts().items():
            contrast.update(target, labels, 'target')
            contrast.update(source, step.source.labels, 'source')
            losses[f'src.loss_{name}'] = contrast(source, step.source.labels, self.student)
            losses[f'trg.loss_{name}'] = contrast(target, labels, self.student)
        return losses

    def _compare_with_memory(
        self, step: Step, memory: MemoryBankContrast, source: SegOutput, target: SegOutput, labels: Tensor
    ) -> Losses:
        seen: dict[str, tuple[Tensor, Tensor, Tensor]] = {}
        for name, out, given in (('src', source, step.source.labels), ('trg', target, labels)):
            features = self.judge.view(out)
            size = features.shape[2:]
            small = resize_labels(given, size)
            prediction = resize_labels(own_logits(out).argmax(dim=1), size) if name == 'src' else small
            embedding = memory.embed(features)
            picks = step.decide(f'{name}_picks', memory.draw_picks, small, self.generator(f'{name}_picks'))
            memory.update(embedding, small, picks)
            seen[name] = embedding, small, prediction
        losses: Losses = {}
        for name, (embedding, small, prediction) in seen.items():
            decision = f'{name}_anchors'
            anchors = step.decide(decision, memory.draw_anchors, small, prediction, self.generator(decision))
            losses[f'{name}.loss_contrast'] = memory(embedding, small, anchors)
        return losses

    def _contrasts(self) -> dict[str, Any]:
        return dict(self.contrasts.items())

    def panel_images(self, step: Step) -> dict[str, Tensor]:
        return {**super().panel_images(step), 'target_image': step.target.images}
