"""The masked pass that every method may have, and the further networks that methods build."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

from torch import Tensor, nn

from mmseg.models.losses.named import prefixed
from mmseg.models.uda.base import UDADecorator
from mmseg.models.uda.building import build_component
from mmseg.models.uda.components.batch_statistics import fixed_running_statistics
from mmseg.models.uda.components.masked_consistency import SAME, MaskedBatch, MaskedConsistency
from mmseg.models.uda.components.strong_augment import StrongAugment
from mmseg.models.uda.panel_predictions import prediction_panel
from mmseg.models.uda.step import Losses, Step
from mmseg.structures import SegOutput


class MaskedTraining(UDADecorator):
    """A method with the pass ``masked`` if ``mic`` is set; its ``prepare`` leaves the batch in ``step.masked``.

    Attributes:
        mic: which images are masked and how; None = no masked pass.
    """

    mic: MaskedConsistency | None

    def build_copy(self, model: Mapping[str, Any] | nn.Module) -> Any:
        """A second network of the student's config, for a teacher or a frozen reference."""
        if isinstance(model, nn.Module):
            raise ValueError(f'{type(self).__name__} builds further networks from the config of the model: pass that')
        return self.build_segmentor(model)

    def build_augment(
        self, settings: Mapping[str, Any] | None, key: str = 'uda.strong_augment'
    ) -> StrongAugment | None:
        """The strong augmentation, or None; it needs to know how images are normalised."""
        if settings is None:
            return None
        if not hasattr(self.data_preprocessor, 'mean'):
            raise ValueError(f'{key} needs model.data_preprocessor with mean and std')
        return build_component(StrongAugment, settings, key)

    def build_masking(
        self,
        model: Mapping[str, Any] | nn.Module,
        masking: Mapping[str, Any] | None,
        teacher: Mapping[str, Any] | None,
        pseudo_labels: Mapping[str, Any] | None,
        strong_augment: Mapping[str, Any] | None,
        shared_teacher: bool = False,
    ) -> MaskedConsistency | None:
        """What ``mic`` is to be.

        Args:
            model: config of the student.
            masking: settings of :class:`MaskedConsistency`; None = no masked pass.
            teacher, pseudo_labels: the method's settings, meant by ``same``.
            strong_augment: the method's settings, for the modes with ``aug``.
            shared_teacher: the method has a teacher, so that another one is built only for another alpha or threshold.

        Raises:
            ValueError: for a mode with ``aug`` without the settings of a strong augmentation.
        """
        if masking is None:
            return None
        mic = build_component(MaskedConsistency, masking, 'uda.masking')
        shared = shared_teacher and mic.alpha == SAME and mic.threshold == SAME
        if mic.uses_target and not shared:
            mic.teacher = mic.own_teacher(self.build_copy(model), teacher, pseudo_labels)
        if mic.augments:
            mic.augment = self.build_augment(strong_augment)
            if mic.augment is None:
                raise ValueError(f'uda.masking: mode {mic.mode!r} needs the settings of uda.strong_augment')
        return mic

    def masked_batch(self, mic: MaskedConsistency, step: Step) -> MaskedBatch:
        """Images with blanked-out blocks, and what the student shall see in them."""
        pseudo = step.pseudo
        if mic.teacher is not None and step.target is not None:
            if self.micro_batch == 0:
                mic.teacher.update(self.student, self.iteration)
            with self.autocast(step.target.images.device):
                pseudo = mic.teacher(step.target)
        batch = mic.select(step.source, step.target, pseudo)
        count, size = len(batch.images), tuple(batch.images.shape[2:])
        if mic.augment is not None:
            drawn = step.decide('mask_augment', mic.draw_augmentation, count, self.generator('mask_augment'))
            mean, std = self.data_preprocessor.mean, self.data_preprocessor.std
            batch = batch._replace(images=mic.augment.apply(batch.images, drawn, mean, std))
        return mic.mask(batch, step.decide('mask_grid', mic.generator.draw, count, size, self.generator('mask_grid')))

    def masked_passes(self) -> list[Callable[[Step], Losses]]:
        """The masked pass, if there is one."""
        return [] if self.mic is None else [self.masked]

    def masked(self, step: Step) -> Losses:
        """Masked images."""
        assert self.mic is not None
        statistics = nullcontext() if self.mic.update_statistics else fixed_running_statistics(self.student)
        with statistics:
            out = self.student(step.masked.images, self.crop_box(step, 'masked', step.masked.images))
        if self.panel_due:
            step.shown |= masked_panel(step.masked, out)
        losses = self.student.losses(out, step.masked.labels, step.masked.weight)
        return prefixed('masked.', self.mic.weighted(losses))


def masked_panel(batch: MaskedBatch, out: SegOutput) -> dict[str, Tensor]:
    """The masked batch and what the student saw in it, for the training panel."""
    panel = {'masked_image': batch.images, 'masked_label': batch.labels}
    if batch.weight is not None:
        panel['masked_weight'] = batch.weight
    prediction = 'masked_prediction'
    return {**panel, prediction: prediction_panel('masked', out, batch.images.shape[2:])[prediction]}
