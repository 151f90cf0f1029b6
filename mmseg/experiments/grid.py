"""One training of a grid, described by what experiments vary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

Crop = tuple[int, int]
# As the student's method has it.
SAME = 'same'


class Unknown(ValueError):
    """A setting that no config file stands for."""


@dataclass(frozen=True)
class Masking:
    """Masked image consistency.

    Attributes:
        mode: ``separate``, ``separatesrc`` or ``separatetrg``, with ``aug`` at the end for strong augmentation.
        block: side of the masked blocks in pixels.
        ratio: share of masked blocks.
        alpha: of a teacher of its own; SAME = the method's teacher.
        threshold: of its pseudo-labels; SAME = the method's.
        weight: lambda_M.
    """

    mode: str = 'separatetrgaug'
    block: int = 64
    ratio: float = 0.7
    alpha: float | Literal['same'] = SAME
    threshold: float | Literal['same'] | None = SAME
    weight: float = 1


@dataclass(frozen=True)
class Training:
    """A training: data x network x method x schedule x seed.

    Attributes:
        source: data set name as in ``configs/_base_/datasets/`` (``gta``, ``gtaHR``, ``synthia``, ...); empty for none.
        target: likewise (``cityscapes``, ``cityscapesHR``, ``acdc``, ``darkzurich``, ...).
        architecture: decoder as published, e.g. ``daformer_sepaspp`` or ``hrda1-512-0.1_daformer_sepaspp``.
        backbone: encoder as published, e.g. ``mitb5`` or ``r101v1c``.
        uda: file of ``configs/_base_/uda/``, or ``source-only``, ``target-only``.
        crop: side of the training crops in the data file's name.
        rcs: temperature of rare class sampling; None = off.
        rcs_min_crop: its ``min_crop_ratio``.
        sync_crop: (height, width) cut from source and target alike.
        margins: 1 = rows of the crops without pseudo-labels, 2 = margins of the target's images; None = none.
        masking: masked image consistency; None = off.
        slide: validate by windows instead of whole images.
        optimizer: file of ``configs/_base_/schedules/``.
        lr: of the encoder.
        fast_head: ten times that for the head.
        schedule: file of ``configs/_base_/schedules/``.
        seed: random seed.
        workers: processes that load training data.
        short_name: the names of the first experiments, without crop and optimizer.
        max_iters: length.
    """

    source: str
    target: str
    architecture: str
    backbone: str
    uda: str
    crop: int = 512
    rcs: float | None = None
    rcs_min_crop: float = 0.5
    sync_crop: Crop | None = None
    margins: int | None = None
    masking: Masking | None = None
    slide: bool = False
    optimizer: str = 'adamw'
    lr: float = 6e-5
    fast_head: bool = True
    schedule: str = 'poly10warm'
    seed: int = 0
    workers: int = 1
    short_name: bool = False
    max_iters: int = 40000

    @property
    def outer_crop(self) -> Crop:
        """Height and width of what the network sees."""
        return self.sync_crop or (self.crop, self.crop)

    @property
    def adapts(self) -> bool:
        """Whether there is a method beside supervised training."""
        return self.uda not in ('source-only', 'target-only')


def seeds(trainings: Iterable[Training], values: Iterable[int] = (0, 1, 2)) -> Iterator[Training]:
    """Each training with each seed."""
    chosen = tuple(values)
    for training in trainings:
        for seed in chosen:
            yield replace(training, seed=seed)
