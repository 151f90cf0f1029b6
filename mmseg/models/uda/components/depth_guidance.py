"""Depth guidance: target images are compared with source crops by the depths of their classes (CDDA).

There is no paper; the names are those of the published code where it has any.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import torch
from torch import Tensor

from mmseg.engine.gradient_sync import gather_rows
from mmseg.models.uda.components.depth_bank import DepthBank, bank_paths, class_depth_histogram
from mmseg.models.uda.components.depth_relabel import REGIONS, SoftLabels, class_shares, reweight, soft_labels
from mmseg.models.uda.components.depth_similarity import BankIndex

FLAGS = ('any', 'last')
MAX_READERS = 4


class Guidance(NamedTuple):
    """What depth says about the pseudo-labels of a batch.

    Attributes:
        weight: (B, H, W) of the pseudo-labels from now on.
        replacements: the crop that takes the place of each source image in the mix; -1 = none.
        soft: soft labels of missing classes.
        runs: whether the guidance pass runs; the same on all processes.
        log: scalars on the device.
    """

    weight: Tensor
    replacements: list[int]
    soft: SoftLabels
    runs: bool
    log: dict[str, Tensor]


class DepthGuidance:
    """Compares, and decides. It has no parameters and leaves nothing in checkpoints.

    The score m of an image is the mean similarity of its classes to the most similar crop of the bank. Where m is above
    ``reweight_threshold``, its pseudo-labels are weighed anew and the crop replaces the source image of the mix; above
    ``relabel_threshold``, classes that only the crop has become soft labels.

    Args:
        bank: folder that ``run_seg.py`` made.
        reweight_threshold: tau_w, at first.
        relabel_threshold: tau_l, at first.
        threshold_decay: by how much both fall at a time.
        counts: file of the bank's counts; None = that of ``bank``.
        images: folder of its crops; None = that of ``bank``.
        labels: folder of the crops' labels; None = that of ``bank``.
        decay_begin: iteration of the first fall.
        decay_every: iterations between two.
        decay_end: iteration of the first fall that does not happen.
        high: a class this similar makes confident pixels weigh 1.
        low: a class less similar makes its pixels weigh 0.
        guidance_weight: factor on the weights of the guidance loss.
        ignore_classes: classes whose pixels keep their weights.
        weight_region: see :func:`reweight`.
        guidance_flag: the guidance pass runs if ``any`` soft label was given; ``last``, as published: if the last
            missing class was given any, of the last image that misses one.
        valid_only: the guidance loss leaves out the margins of pseudo-labels too.

    Attributes:
        index: what is compared with; None until the bank is opened.

    Raises:
        ValueError: for settings that make no sense.
        FileNotFoundError, ValueError: for a bank that is not there or not whole, when it is opened.
    """

    def __init__(
        self,
        bank: str | None = None,
        reweight_threshold: float = 0.56,
        relabel_threshold: float = 0.54,
        threshold_decay: float = 0.0025,
        counts: str | None = None,
        images: str | None = None,
        labels: str | None = None,
        decay_begin: int = 10000,
        decay_every: int = 1000,
        decay_end: int = 40000,
        high: float = 0.75,
        low: float = 0.1,
        guidance_weight: float = 0.1,
        ignore_classes: Sequence[int] = (),
        weight_region: str = 'class',
        guidance_flag: str = 'any',
        valid_only: bool = False,
    ) -> None:
        for name, value, known in (('weight_region', weight_region, REGIONS), ('guidance_flag', guidance_flag, FLAGS)):
            if value not in known:
                raise ValueError(f'uda.depth_guidance: {name} is one of {", ".join(known)}, not {value!r}')
        if not 0 <= low < high:
            raise ValueError(f'uda.depth_guidance: low must be from 0 and below high, not {low} and {high}')
        if decay_every < 1 or decay_end < decay_begin:
            raise ValueError(
                'uda.depth_guidance: decay_every is at least 1 and decay_end not before decay_begin, not '
                f'{decay_every}, {decay_end} and {decay_begin}'
            )
        self.bank, self.counts, self.images, self.labels = bank, counts, images, labels
        self.start = (float(reweight_threshold), float(relabel_threshold))
        self.threshold_decay = threshold_decay
        self.decay_begin, self.decay_every = decay_begin, decay_every
        self.max_falls = math.ceil((decay_end - decay_begin) / decay_every)
        self.high, self.low = high, low
        self.guidance_weight = guidance_weight
        self.ignore_classes = tuple(ignore_classes)
        self.weight_region = weight_region
        self.guidance_flag = guidance_flag
        self.valid_only = valid_only
        self.crops: DepthBank | None = None
        self.index: BankIndex | None = None

    def open(self, num_classes: int, device: torch.device | str = 'cpu') -> None:
        """Read the counts of the bank and check its crops, once."""
        if self.index is None:
            self.crops = DepthBank(bank_paths(self.bank, self.counts, self.images, self.labels))
            self.index = BankIndex(self.crops.check(num_classes), device)

    def thresholds(self, iteration: int) -> tuple[float, float]:
        """tau_w and tau_l at a 0-based iteration."""
        falls = min(max((iteration - self.decay_begin) // self.decay_every + 1, 0), self.max_falls)
        reweighted, relabelled = (value - falls * self.threshold_decay for value in self.start)
        return reweighted, relabelled

    @torch.no_grad()
    def assess(self, labels: Tensor, confident: Tensor, weight: Tensor, depth: Tensor, iteration: int) -> Guidance:
        """What depth says about a batch of pseudo-labels. The host waits for the device once.

        Args:
            labels: (B, H, W) int64 pseudo-labels; 255 where there is no picture.
            confident: (B, H, W) bool, where the teacher is sure.
            weight: (B, H, W) of the pseudo-labels, before any margins.
            depth: (B, H, W) uint8, or float, 0 to 255.
            iteration: 0-based.
        """
        assert self.index is not None, 'the bank is not open'
        histogram = class_depth_histogram(labels, depth, self.index.num_classes)
        match = self.index.to(labels.device).match(histogram)
        # Images without a labelled pixel resemble nothing, however low the thresholds.
        labelled = histogram.sum(dim=(1, 2)) > 0
        reweighted, relabelled = (labelled & (match.score > threshold) for threshold in self.thresholds(iteration))
        shares = class_shares(match, relabelled)
        # A class is of use only where the target has a pixel at one of its depths.
        given = ((shares > 0) & (histogram.sum(dim=1) > 0)[:, None]).any(dim=2)
        flags = self._flags(match.missing & relabelled[:, None], given)
        replacements, pairs, runs = _to_host(match.best.where(reweighted, -1), given, flags)
        changed = reweight(
            weight,
            labels,
            confident,
            match.classes,
            reweighted,
            self.high,
            self.low,
            self.ignore_classes,
            self.weight_region,
        )
        log = {
            'depth.score': match.score.mean(),
            'depth.replaced': reweighted.to(match.score.dtype).mean(),
            'depth.relabelled': given.any(dim=1).to(match.score.dtype).mean(),
        }
        return Guidance(changed, replacements, soft_labels(shares, depth, pairs), runs, log)

    def _flags(self, missing: Tensor, given: Tensor) -> Tensor:
        """(images of all processes, 2) uint8: whether the image asks to be counted, and for the guidance pass.

        Args:
            missing: (B, C) bool, classes that a relabelled image misses.
            given: (B, C) bool, those of them that became soft labels.
        """
        if self.guidance_flag == 'any':
            asks = given.any(dim=1)
            counts = asks
        else:
            last = missing.shape[1] - 1 - missing.flip(1).to(torch.uint8).argmax(dim=1)
            asks = given.gather(1, last[:, None])[:, 0]
            counts = missing.any(dim=1)
        return gather_rows(torch.stack([counts, asks], dim=1).to(torch.uint8))

    def start_reading(self, replacements: Sequence[int]) -> dict[int, Future[tuple[Tensor, Tensor]]]:
        """Read crops beside the training: by slot of the batch, where there is one, bytes as of `DepthBank.read`."""
        assert self.crops is not None, 'the bank is not open'
        slots = {slot: number for slot, number in enumerate(replacements) if number >= 0}
        if not slots:
            return {}
        readers = ThreadPoolExecutor(min(len(slots), MAX_READERS), thread_name_prefix='source crops')
        reading = {slot: readers.submit(self.crops.read, number) for slot, number in slots.items()}
        readers.shutdown(wait=False)
        return reading


def _to_host(best: Tensor, given: Tensor, flags: Tensor) -> tuple[list[int], list[tuple[int, int]], bool]:
    """All that the host has to know, in one copy: replacements, pairs of image and class, the flag.

    Args:
        best: (B,) crop that replaces, or -1.
        given: (B, C) bool, soft labels.
        flags: (images, 2), of all processes, in their order.
    """
    packed = torch.cat([best, given.flatten().long(), flags.flatten().long()]).tolist()
    batch, num_classes = given.shape
    replacements, rest = packed[:batch], packed[batch:]
    pairs = [divmod(place, num_classes) for place, value in enumerate(rest[: batch * num_classes]) if value]
    pairs_of_flags = rest[batch * num_classes :]
    asked = [asks for counts, asks in zip(pairs_of_flags[::2], pairs_of_flags[1::2], strict=True) if counts]
    return replacements, pairs, bool(asked and asked[-1])
