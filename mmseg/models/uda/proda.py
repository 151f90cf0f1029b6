"""ProDA, stage 1: pseudo-labels rectified at every step by the distances of features to class prototypes.

Reference: Zhang et al., "Prototypical Pseudo Label Denoising and Target Structure Learning for Domain Adaptive Semantic
Segmentation", CVPR 2021. (Stages 2 and 3 are ``PrototypeDistillation``.)

====================  ==================================================
paper                 here
====================  ==================================================
h, h~                 ``student``, ``ema_model``
eta_k                 ``prototypes.vectors``
omega_t               ``prototype_weights`` of ``step.distances``
p_t,0                 ``step.soft``
y^_t                  ``step.labels``
l_sce, l_kl, l_reg    ``trg.*``, ``strong.loss_consistency``, ``trg.loss_reg``
====================  ==================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmseg.engine.prototype_files import FILES, fill_bank
from mmseg.models.losses.named import prefixed, weighted
from mmseg.models.losses.symmetric import REGULARISERS, reverse_cross_entropy
from mmseg.models.precision import at_least_float32
from mmseg.models.resize import resize, resize_labels
from mmseg.models.uda.building import build_component
from mmseg.models.uda.components.contrast import embedding_channels, own_logits
from mmseg.models.uda.components.distillation import kl_distillation
from mmseg.models.uda.components.ema_teacher import EMATeacher
from mmseg.models.uda.components.prototype_distance import prototype_distances, prototype_weights
from mmseg.models.uda.components.prototypes import PrototypeBank
from mmseg.models.uda.components.rectification import rectified_labels, replay, views_of
from mmseg.models.uda.step import Losses, Step
from mmseg.models.uda.strong_view_training import StrongViewTraining
from mmseg.registry import MODELS
from mmseg.structures import IGNORE, DomainBatch, SegOutput, TrainBatch

TEACHER_VIEWS = ('whole', 'crop')
TEACHER = {'alpha': 0.999, 'copy_buffers': True, 'ramp_up': False, 'eval_mode': True}


@MODELS.register_module()
class ProDA(StrongViewTraining):
    """Source images with their labels; target images with rectified labels; their strong views' distances.

    The target data need ``LoadSoftLabels`` and, unless the teacher looks at crops, ``KeepWholeImage``.

    Args:
        model: config of the student.
        max_iters: length of the training.
        data_preprocessor: config of the data preprocessor; its ``mean`` and ``std`` are needed by the strong view.
        prototypes: folder with the files of ``tools/init_prototypes.py --domain target``, or a file of the original
            (``prototypes_on_cityscapes_from_deeplabv2``, or a ``.pkl`` of its stage 1); None = they start at zero.
        rectify: False = the soft labels are taken as they are.
        tau: of the class weights; the larger, the more the nearest prototype counts.
        threshold: share of the likeliest class below which a pixel gets no label; 0 = none.
        ce_weight: of the cross-entropy with the rectified labels.
        rce_weight: of the reverse cross-entropy with them.
        regulariser: ``MRKLD``, ``MRENT`` or None.
        regulariser_weight: its factor.
        consistency_weight: of KL(teacher's distances || student's on the strong view); 0 = off.
        prototype_momentum: weight of an image's class mean in the prototypes; 0 = they stay.
        teacher_view: the teacher sees ``whole`` images, as published, or the student's ``crop``.
        teacher: settings of :class:`EMATeacher`; what is not given is as published.
        strong_view: settings of :class:`RandAugment`; its ``label_stride`` is that of all target losses.
        feature_distance: settings of :class:`FeatureDistance`; None = off.
        source_augment: settings of :class:`StrongAugment` for the source images; None = they stay as they are.

    Raises:
        ValueError: for settings that make no sense, and target data that lack something.
        FileNotFoundError: prototypes that are not there, when the weights are initialised.
    """

    panel_prediction = 'target'

    def __init__(
        self,
        model: Mapping[str, Any] | nn.Module,
        max_iters: int | None = None,
        data_preprocessor: Mapping[str, Any] | nn.Module | None = None,
        prototypes: str | None = None,
        rectify: bool = True,
        tau: float = 1.0,
        threshold: float = 0.0,
        ce_weight: float = 0.1,
        rce_weight: float = 1.0,
        regulariser: str | None = 'MRKLD',
        regulariser_weight: float = 0.1,
        consistency_weight: float = 10.0,
        prototype_momentum: float = 1e-4,
        teacher_view: str = 'whole',
        teacher: Mapping[str, Any] | None = None,
        strong_view: Mapping[str, Any] | None = None,
        feature_distance: Mapping[str, Any] | None = None,
        source_augment: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(model, max_iters, data_preprocessor, feature_distance, source_augment)
        if regulariser is not None and regulariser not in REGULARISERS:
            raise ValueError(f'uda.regulariser is one of {", ".join(REGULARISERS)} or None, not {regulariser!r}')
        if teacher_view not in TEACHER_VIEWS:
            raise ValueError(f'uda.teacher_view is one of {", ".join(TEACHER_VIEWS)}, not {teacher_view!r}')
        if not tau > 0 or not 0 <= threshold <= 1:
            raise ValueError(f'uda: tau is above 0 and threshold lies in 0..1, got {tau} and {threshold}')
        self.prototype_folder = prototypes
        self.rectify = rectify
        self.tau = tau
        self.threshold = threshold
        self.ce_weight = ce_weight
        self.rce_weight = rce_weight
        self.regulariser = regulariser
        self.regulariser_weight = regulariser_weight
        self.consistency_weight = consistency_weight
        self.teacher_view = teacher_view
        self.strong_view = self.build_strong_view(strong_view)
        self.prototypes = PrototypeBank(
            self.student.num_classes,
            embedding_channels(self.student),
            {'type': 'image_momentum', 'momentum': prototype_momentum},
        )
        self.teacher = build_component(EMATeacher, {**TEACHER, **(teacher or {})}, 'uda.teacher')
        self.ema_model = self.build_copy(model)
        self.teacher.freeze(self.ema_model)
        self._seen: list[tuple[Tensor, Tensor]] = []

    def init_weights(self) -> None:
        """Initialise all networks, and the prototypes from their file."""
        super().init_weights()
        if self.prototype_folder is not None:
            given = Path(self.prototype_folder)
            file = given if given.is_file() else given / FILES['feature']
            fill_bank(self.prototypes, file, options='--domain target ')

    @torch.no_grad()
    def prepare(self, batch: TrainBatch, decisions: Mapping[str, Any] | None = None) -> Step:
        step = super().prepare(batch, decisions)
        target = self.target_of(step)
        if self.iteration == 0 and self.micro_batch == 0:
            self.teacher.start(self.ema_model, self.student)
        stride = self.strong_view.label_stride
        step.size = [length // stride for length in target.images.shape[2:]]
        step.seen, features = self._teacher_maps(target)
        # The prototypes follow after the update, when other micro-batches' steps are gone.
        self._seen = [*(self._seen if self.micro_batch else ()), step.seen]
        step.distances = prototype_distances(features, self.prototypes.vectors)
        soft = step.decide('soft_labels', self._soft_labels, target)
        step.soft = resize(soft, step.size, self.student.align_corners)
        weights = prototype_weights(step.distances, self.tau) if self.rectify else torch.ones_like(step.distances)
        step.labels = rectified_labels(step.soft, weights, self.threshold)
        if self.consistency_weight:
            changes = self.make_strong_view(step)
            moved, step.inside = self.strong_view.move(step.distances, changes, stride)
            step.nearness = prototype_weights(moved, self.tau)
        return step

    def _teacher_maps(self, target: DomainBatch) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """The teacher's features and predictions for all that it saw, and its features (B, A, h, w) for the crops."""
        whole = self.teacher_view == 'whole'
        if whole and target.whole is None:
            raise ValueError(
                "uda.teacher_view='whole' needs KeepWholeImage in the target pipeline, before Resize and RandomCrop; "
                "teacher_view='crop' does without"
            )
        images = target.whole if whole and target.whole is not None else target.images
        with self.autocast(images.device):
            out = self.ema_model(images)
        corners, stride = self.student.align_corners, self.strong_view.label_stride
        grid = [length // stride for length in images.shape[2:]]
        maps = (at_least_float32(each) for each in (_embedding(out), own_logits(out)))
        features, logits = (resize(each, grid, corners) for each in maps)
        seen = features, logits.argmax(dim=1)
        return seen, replay(features, views_of(target.meta), stride, corners) if whole else features

    def _soft_labels(self, target: DomainBatch) -> Tensor:
        if target.soft_labels is None:
            raise ValueError(
                'ProDA rectifies soft labels: add LoadSoftLabels to the target pipeline; seg_map_path is the folder of '
                'python -m tools.make_pseudo_labels --soft'
            )
        soft = target.soft_labels.to(target.images.dtype)
        return replay(soft, views_of(target.meta), self.strong_view.label_stride, self.student.align_corners)

    def passes(self) -> list[Callable[[Step], Losses]]:
        return [self.supervised, self.rectified, *([self.consistent] if self.consistency_weight else [])]

    def rectified(self, step: Step) -> Losses:
        """Target images as they are, with rectified labels."""
        images, labels = step.target.images, step.labels
        out = self.student(images, self.crop_box(step, 'rectified', images))
        self.show(step, 'target', out, images)
        losses = prefixed('trg.', weighted(self.ce_weight, self.student.losses(out, labels)))
        logits = resize(at_least_float32(out.logits['main']), labels.shape[1:], self.student.align_corners)
        if self.rce_weight:
            losses['trg.loss_rce'] = self.rce_weight * reverse_cross_entropy(logits, labels)
        if self.regulariser is not None and self.regulariser_weight:
            losses['trg.loss_reg'] = self.regulariser_weight * REGULARISERS[self.regulariser](logits)
        losses['trg.kept'] = (labels != IGNORE).to(logits.dtype).mean()
        return losses

    def consistent(self, step: Step) -> Losses:
        """Strong views: as near to each prototype as the teacher's features were."""
        images = step.strong_images
        out = self.student(images, self.crop_box(step, 'consistent', images))
        corners = self.student.align_corners
        distances = prototype_distances(
            _embedding(out), self.prototypes.vectors.clone(), step.size, corners, gradient=True
        )
        distance = kl_distillation(-self.tau * distances, step.nearness, mean='element', mask=step.inside)
        return {'strong.loss_consistency': self.consistency_weight * distance}

    def finish(self, step: Step) -> None:
        self.teacher.update(self.ema_model, self.student, self.iteration)
        for features, predicted in self._seen:
            self.prototypes.update(features, predicted)
        self._seen = []
        super().finish(step)

    def train(self, mode: bool = True) -> ProDA:
        """The teacher stays in the mode that it works in."""
        super().train(mode)
        if mode and hasattr(self, 'teacher'):
            self.teacher.freeze(self.ema_model)
        return self

    def inference_model(self) -> Any:
        return self.ema_model if self.evaluate_teacher else self.student

    def panel_images(self, step: Step) -> dict[str, Tensor]:
        size = step.target.images.shape[2:]
        shown = {'target_image': step.target.images, 'target_label': resize_labels(step.labels, size)}
        if self.consistency_weight:
            shown['strong_image'] = step.strong_images
        return {**super().panel_images(step), **shown}


def _embedding(out: SegOutput) -> Tensor:
    if out.embedding is None:
        raise ValueError('ProDA compares features with prototypes: the head gives no feature before its classifier')
    return out.embedding
