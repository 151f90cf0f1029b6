"""MinEnt: target predictions shall be decided.

Reference: ADVENT (Vu et al., CVPR 2019), section 3.1, in the form of the DAFormer, HRDA and MIC experiments.

=============  ==================================================
paper          here
=============  ==================================================
F              ``student``
E_x            ``normalized_entropy``
lambda_ent     ``entropy_weight``
=============  ==================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmseg.models.uda.components.entropy import normalized_entropy
from mmseg.models.uda.components.output_space import head_weights, output_probabilities
from mmseg.models.uda.step import Losses, Step
from mmseg.models.uda.supervised import Supervised
from mmseg.registry import MODELS
from mmseg.structures import TrainBatch


@MODELS.register_module()
class MinEnt(Supervised):
    """Source images with their labels; target images with the entropy of their predictions as loss.

    Args:
        model: config of the student.
        max_iters: length of the training.
        data_preprocessor: config of the data preprocessor.
        entropy_weight: lambda_ent of each head (``main`` and auxiliary ones); None = the published main 0.001, aux
            0.0002.
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

    panel_prediction = 'target'

    def __init__(
        self,
        model: Mapping[str, Any] | nn.Module,
        max_iters: int | None = None,
        data_preprocessor: Mapping[str, Any] | nn.Module | None = None,
        entropy_weight: Mapping[str, float] | None = None,
        feature_distance: Mapping[str, Any] | None = None,
        source_augment: Mapping[str, Any] | None = None,
        masking: Mapping[str, Any] | None = None,
        teacher: Mapping[str, Any] | None = None,
        pseudo_labels: Mapping[str, Any] | None = None,
        strong_augment: Mapping[str, Any] | None = None,
        contrast: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(model, max_iters, data_preprocessor, feature_distance, source_augment, contrast=contrast)
        self.mic = self.build_masking(model, masking, teacher, pseudo_labels, strong_augment)
        self.entropy_weight = head_weights(self.student, entropy_weight, 'uda.entropy_weight')

    @torch.no_grad()
    def prepare(self, batch: TrainBatch, decisions: Mapping[str, Any] | None = None) -> Step:
        step = super().prepare(batch, decisions)
        self.target_of(step)
        return step

    def passes(self) -> list[Callable[[Step], Losses]]:
        return [self.supervised, self.entropy, *self.masked_passes()]

    def entropy(self, step: Step) -> Losses:
        """Target images."""
        images = step.target.images
        out = self.student(images, self.crop_box(step, 'entropy', images))
        output = output_probabilities(self.student, out, images.shape[2:], self.entropy_weight)
        maps = {head: normalized_entropy(probabilities) for head, probabilities in output.items()}
        self.show(step, 'target', out, images)
        if self.panel_due:
            step.shown['target_entropy'] = maps['main'].detach()
        losses = {f'ent.loss.{head}': weight * maps[head].mean() for head, weight in self.entropy_weight.items()}
        return losses | self.target_contrast('trg', out)

    def panel_images(self, step: Step) -> dict[str, Tensor]:
        return {**super().panel_images(step), 'target_image': step.target.images}
