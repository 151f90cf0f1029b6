"""AdvSeg: target predictions that a discriminator cannot tell from source predictions.

References: AdaptSegNet (Tsai et al., CVPR 2018), in the form of the DAFormer, HRDA and MIC experiments.

================  ==================================================
paper             here
================  ==================================================
G, D_i            ``student``, ``model_D``
P_s, P_t          ``step.source_output``, ``step.target_output``
lambda_adv^i      ``adversarial_weight``
L_d               ``D_src.loss`` + ``D_trg.loss``
================  ==================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmseg.models.uda.components.discriminator import SOURCE, TARGET, AdversarialLoss, Discriminator, frozen
from mmseg.models.uda.components.output_space import head_weights, output_probabilities
from mmseg.models.uda.step import Losses, Step
from mmseg.models.uda.supervised import Supervised
from mmseg.registry import MODELS
from mmseg.structures import SegOutput, TrainBatch


@MODELS.register_module()
class AdvSeg(Supervised):
    """Source images with their labels; target images against a discriminator; then the discriminator itself.

    ``optim_wrapper`` has two optimizers, ``main`` and ``discriminator``.

    Args:
        model: config of the student; each of its heads (``main`` and auxiliary ones) gets a discriminator.
        max_iters: length of the training.
        data_preprocessor: config of the data preprocessor.
        discriminator_loss: ``LS`` (least squares) or ``Vanilla`` (binary cross-entropy).
        adversarial_weight: lambda_adv of each head; None = the published main 0.001, aux 0.0002; 0 = this head gets no
            discriminator. Without any discriminator ``optim_wrapper`` has ``main`` alone.
        main_optimizer_steps_discriminators: the published runs built their main optimizer over everything, so that it
            steps the discriminators too, after their own Adam's gradient; False = only their own optimizer does.
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
        discriminator_loss: str = 'LS',
        adversarial_weight: Mapping[str, float] | None = None,
        main_optimizer_steps_discriminators: bool = True,
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
        self.adversarial_loss = AdversarialLoss(discriminator_loss)
        weights = head_weights(self.student, adversarial_weight, 'uda.adversarial_weight')
        self.adversarial_weight = {head: weight for head, weight in weights.items() if weight}
        self.main_optimizer_steps_discriminators = main_optimizer_steps_discriminators
        self.model_D = nn.ModuleDict(
            {head: Discriminator(self.student.num_classes) for head in self.adversarial_weight}
        )

    @torch.no_grad()
    def prepare(self, batch: TrainBatch, decisions: Mapping[str, Any] | None = None) -> Step:
        step = super().prepare(batch, decisions)
        self.target_of(step)
        return step

    def passes(self) -> list[Callable[[Step], Losses]]:
        discriminate = [self.discriminate] if self.model_D else []
        return [self.supervised, self.adversarial, *self.masked_passes(), *discriminate]

    def supervised(self, step: Step) -> Losses:
        """Source images; their predictions are kept for the discriminator."""
        out = self.student(step.source.images, self.crop_box(step, 'supervised', step.source.images))
        self.show(step, 'source', out, step.source.images)
        step.source_output = _detached(self.probabilities(out, step.source.images))
        return self.source_losses(step, out)

    def adversarial(self, step: Step) -> Losses:
        """Target images, whose predictions shall look like those of source images to a discriminator at rest."""
        images = step.target.images
        out = self.student(images, self.crop_box(step, 'adversarial', images))
        self.show(step, 'target', out, images)
        output = self.probabilities(out, images)
        step.target_output = _detached(output)
        with frozen(self.model_D):
            losses = {
                f'G_trg.loss.{head}': weight * self.adversarial_loss(self.model_D[head](output[head]), SOURCE)
                for head, weight in self.adversarial_weight.items()
            }
        return losses | self.target_losses(step, out)

    def target_losses(self, step: Step, out: SegOutput) -> Losses:
        """What else the student's output for the target images is trained on."""
        return self.target_contrast('trg', out)

    def discriminate(self, step: Step) -> Losses:
        """The discriminators learn from the predictions as they are; nothing reaches the student."""
        losses: Losses = {}
        step.seen = {}
        for name, output, domain in (('src', step.source_output, SOURCE), ('trg', step.target_output, TARGET)):
            scores = {head: discriminator(output[head]) for head, discriminator in self.model_D.items()}
            losses |= {f'D_{name}.loss.{head}': self.adversarial_loss(x, domain) / 2 for head, x in scores.items()}
            step.seen[name] = next(iter(scores.values())).detach()
        return losses

    def probabilities(self, out: SegOutput, images: Tensor) -> dict[str, Tensor]:
        """What the discriminators see of the student's output for the images."""
        return output_probabilities(self.student, out, images.shape[2:], self.adversarial_weight)

    def optimizer_modules(self) -> dict[str, dict[str, nn.Module]]:
        student, discriminators = {'model': self.model}, {'model_D': self.model_D}
        if not self.model_D:
            return {'main': student}
        main = student | discriminators if self.main_optimizer_steps_discriminators else student
        return {'main': main, 'discriminator': discriminators}

    def panel_images(self, step: Step) -> dict[str, Tensor]:
        """Also how far the first discriminator takes each patch for target."""
        panel = {**super().panel_images(step), 'target_image': step.target.images}
        if not self.model_D:
            return panel
        seen = {name: self.adversarial_loss.probability(scores) for name, scores in step.seen.items()}
        return {**panel, 'source_discriminator': seen['src'], 'target_discriminator': seen['trg']}


def _detached(output: dict[str, Tensor]) -> dict[str, Tensor]:
    return {head: probabilities.detach() for head, probabilities in output.items()}
