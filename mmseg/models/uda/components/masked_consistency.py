"""Masked image consistency: the student must see in a masked image what is known of the whole one.

Reference: MIC (Hoyer et al., CVPR 2023), section 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg.models.losses.named import weighted
from mmseg.models.uda.building import build_component
from mmseg.models.uda.components.block_mask import BlockMask, blank_out
from mmseg.models.uda.components.ema_teacher import EMATeacher
from mmseg.models.uda.components.pseudo_labels import PseudoLabeler, PseudoLabels
from mmseg.models.uda.components.strong_augment import StrongAugment, StrongAugmentation
from mmseg.structures import DomainBatch

DOMAINS = {'separate': 'both', 'separatesrc': 'source', 'separatetrg': 'target'}
AUGMENTED = 'aug'
SAME = 'same'
PUBLISHED_GENERATOR = {'type': 'block', 'mask_ratio': 0.7, 'mask_block_size': 64}


class MaskedBatch(NamedTuple):
    """Images of the masked pass.

    Attributes:
        images: (B, 3, H, W).
        labels: (B, H, W) int64, of the source or of a teacher that saw the whole image.
        weight: (B, H, W) float; None = every pixel counts.
    """

    images: Tensor
    labels: Tensor
    weight: Tensor | None


class MaskedConsistency(BaseModule):
    """Which images are masked, how, and with which labels they are trained.

    Args:
        mode: ``separatetrg``: the target batch with pseudo-labels; ``separatesrc``: the source batch with its labels;
            ``separate``: every second image of both. Followed by ``aug``, the images get the strong augmentation first.
        alpha: momentum of a teacher of its own; ``same`` = that of the method's teacher.
        threshold: confidence that its pseudo-labels need, None = all weigh 1; ``same`` = that of the method.
        weight: lambda_M, factor on the losses of the masked pass.
        generator: type and settings of the mask; None = the published 70 % in blocks of 64.
        update_statistics: the student's batch norm counts masked images in its running statistics, as published. In an
            encoder with batch norm these are then not those of whole test images.

    Attributes:
        teacher: the teacher of its own, set by the method that needs one; None = pseudo-labels are handed in.
        augment: the strong augmentation, set by the method; None in the modes without.

    Raises:
        ValueError: for a mode or a word that does not exist.
    """

    teacher: OwnTeacher | None
    augment: StrongAugment | None

    def __init__(
        self,
        mode: str = 'separatetrg',
        alpha: float | str = SAME,
        threshold: float | str | None = SAME,
        weight: float = 1.0,
        generator: Mapping[str, Any] | None = None,
        update_statistics: bool = True,
    ) -> None:
        super().__init__()
        domain = str(mode).removesuffix(AUGMENTED)
        if domain not in DOMAINS:
            modes = ', '.join(f'{name}, {name}{AUGMENTED}' for name in DOMAINS)
            raise ValueError(f'uda.masking: mode {mode!r} does not exist, choose one of {modes}')
        for name, value in {'alpha': alpha, 'threshold': threshold}.items():
            if isinstance(value, str) and value != SAME:
                raise ValueError(f"uda.masking: {name} is a number or 'same', not {value!r}")
        self.mode = mode
        self.domain = DOMAINS[domain]
        self.augments = mode.endswith(AUGMENTED)
        self.alpha = alpha
        self.threshold = threshold
        self.weight = weight
        self.update_statistics = update_statistics
        self.generator: BlockMask = build_component(
            None, PUBLISHED_GENERATOR if generator is None else generator, 'uda.masking.generator'
        )
        self.teacher = None
        self.augment = None

    @property
    def uses_target(self) -> bool:
        """Whether target images and pseudo-labels are needed."""
        return self.domain != 'source'

    def own_teacher(
        self, network: nn.Module, teacher: Mapping[str, Any] | None, pseudo_labels: Mapping[str, Any] | None
    ) -> OwnTeacher:
        """A teacher with the method's settings but its own alpha and threshold, where these are given.

        Args:
            network: of the student's architecture.
            teacher: the method's settings of :class:`EMATeacher`.
            pseudo_labels: the method's settings of :class:`PseudoLabeler`.
        """
        average, labeler = dict(teacher or {}), dict(pseudo_labels or {})
        if self.alpha != SAME:
            average['alpha'] = self.alpha
        if self.threshold != SAME:
            labeler['threshold'] = self.threshold
        return OwnTeacher(
            network,
            build_component(EMATeacher, average, 'uda.teacher'),
            build_component(PseudoLabeler, labeler, 'uda.pseudo_labels'),
        )

    def select(self, source: DomainBatch, target: DomainBatch | None, pseudo: PseudoLabels | None) -> MaskedBatch:
        """The whole images that are to be masked.

        Raises:
            ValueError: if there is no target, or ``separate`` cannot take as many images of both domains.
        """
        assert source.labels is not None
        if self.domain == 'source':
            return MaskedBatch(source.images, source.labels, None)
        if target is None or pseudo is None:
            raise ValueError(
                f'uda.masking: mode {self.mode!r} masks target images: train_dataloader.dataset must be a UDADataset '
                "(or mode 'separatesrc')"
            )
        if self.domain == 'target':
            return MaskedBatch(target.images, *pseudo)
        if len(source.images) % 2:
            raise ValueError(
                f'uda.masking: mode {self.mode!r} takes half of its images from each domain: train_dataloader.'
                f'batch_size must be even, not {len(source.images)}'
            )
        return MaskedBatch(
            _every_second(source.images, target.images),
            _every_second(source.labels, pseudo.labels),
            _every_second(torch.ones_like(pseudo.weight), pseudo.weight),
        )

    def draw_augmentation(self, batch: int, generator: torch.Generator) -> StrongAugmentation:
        """As for mixed images, but the whole batch has one order of colour changes and one width of the blur."""
        assert self.augment is not None
        drawn = self.augment.draw(batch, generator)
        common = {'order': drawn.order, 'sigma': drawn.sigma}
        return replace(drawn, **{name: None if x is None else x[:1].expand_as(x) for name, x in common.items()})

    def mask(self, batch: MaskedBatch, kept: Tensor) -> MaskedBatch:
        """The batch with blanked-out blocks; ``kept`` (B, 1, rows, columns) as the generator draws it."""
        return batch._replace(images=blank_out(batch.images, kept))

    def weighted(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """All losses times ``weight``; accuracies as they are. (The originals scale the main head's loss alone.)"""
        return weighted(self.weight, losses)


class OwnTeacher(BaseModule):
    """A teacher beside that of the method.

    Args:
        network: of the student's architecture.
        average: how it follows the student.
        labeler: how its scores become pseudo-labels.
    """

    def __init__(self, network: nn.Module, average: EMATeacher, labeler: PseudoLabeler) -> None:
        super().__init__()
        self.ema_model = network
        self.average = average
        self.labeler = labeler
        average.freeze(network)

    def update(self, student: nn.Module, iteration: int) -> None:
        """Follow the student; ``iteration`` is the 0-based number of the averaging."""
        self.average.update(self.ema_model, student, iteration)

    @torch.no_grad()
    def forward(self, target: DomainBatch) -> PseudoLabels:
        """Pseudo-labels of whole target images."""
        judged = self.labeler.judge(self.average(self.ema_model, target.images))
        return self.labeler.with_margins(judged, target.valid)

    def train(self, mode: bool = True) -> OwnTeacher:
        """Dropout and drop path stay off."""
        super().train(mode)
        if mode:
            self.average.freeze(self.ema_model)
        return self


def _every_second(source: Tensor, target: Tensor) -> Tensor:
    """Images 0, 2, ... of both in turn, so that processes that share a batch take the same ones."""
    return torch.stack([source[::2], target[::2]], dim=1).flatten(0, 1)
