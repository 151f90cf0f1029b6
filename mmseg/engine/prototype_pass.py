"""Prototypes of a trained network: means over all images of a domain, once each, without augmentation.

References: ProCA (Jiang et al., ECCV 2022), the stage before the adaptation; ProDA (Zhang et al., CVPR 2021), which
starts from means over target images.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmseg.engine.dataset_pass import run_over
from mmseg.engine.gradient_sync import reduce_sum
from mmseg.models.resize import resize_labels
from mmseg.models.uda.components.contrast import embedding_channels, own_logits
from mmseg.models.uda.components.prototypes import PrototypeBank, class_sums
from mmseg.structures import IGNORE, SegOutput

KEPT = ('LoadImageFromFile', 'LoadAnnotations', 'Resize', 'PackTrainInputs')


def plain_pipeline(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A training pipeline without its random steps: whole images at their training size.

    Raises:
        ValueError: it loads no labels, or resizes to one of several sizes.
    """
    kept = [{k: v for k, v in step.items() if k != 'ratio_range'} for step in steps if step['type'] in KEPT]
    kept = [step for step in kept if step['type'] != 'Resize' or step.get('scale') is not None]  # as large as the files
    if not any(step['type'] == 'LoadAnnotations' for step in kept):
        raise ValueError('the source data come without labels: their pipeline needs LoadAnnotations')
    for step in kept:
        scale = step.get('scale') if step['type'] == 'Resize' else None
        if scale and not isinstance(scale[0], int) and len(scale) > 1:
            raise ValueError(
                f'the source pipeline resizes to one of several scales, {scale}: prototypes need one training size; '
                'name a single scale in the config, or by --cfg-options'
            )
    return kept


class PrototypeSums:
    """Adds up features and class scores by class, in float64.

    Args:
        student: the segmentor.
        device: to add on.
    """

    def __init__(self, student: Any, device: str | torch.device = 'cpu') -> None:
        classes = student.num_classes
        widths = {'feature': embedding_channels(student), 'output': classes}
        self.sums = {
            level: torch.zeros(classes, width, dtype=torch.float64, device=device) for level, width in widths.items()
        }
        self.counts = {level: torch.zeros(classes, dtype=torch.int64, device=device) for level in widths}

    def add(self, out: SegOutput, labels: Tensor) -> None:
        """Take in the student's output for images with labels (B, H, W).

        Raises:
            ValueError: the head gave no embedding.
        """
        if out.embedding is None:
            raise ValueError('the head gives no feature before its classifier, of which prototypes could be means')
        for level, features in (('feature', out.embedding), ('output', own_logits(out))):
            batch = class_sums(features, resize_labels(labels, features.shape[2:]), len(self.counts[level]))
            self.sums[level] += batch.sums.double().sum(dim=0)
            self.counts[level] += batch.counts.sum(dim=0)

    def means(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Prototypes (C, A) float64 and counts (C,) by level, over all processes; zero for an absent class."""
        result = {}
        for level, sums in self.sums.items():
            sums, counts = reduce_sum(sums), reduce_sum(self.counts[level])
            result[level] = sums / counts.clamp(min=1)[:, None], counts
        return result


def mean_features(
    preprocessor: nn.Module, student: Any, dataset: Any, device: str, workers: int = 2
) -> dict[str, tuple[Tensor, Tensor]]:
    """Prototypes of both levels over a dataset; see :class:`PrototypeSums`."""
    total = PrototypeSums(student, device)

    def add(sample: Mapping[str, Any]) -> None:
        tensors = {key: sample[key][None] for key in ('image', 'label')}
        batch = preprocessor({**tensors, 'meta': [sample['meta']]}, training=True).source
        total.add(student(batch.images), batch.labels)

    run_over(dataset, add, 'Prototypes', workers)
    return total.means()


class ImageMeans:
    """Running means over images, each of which counts once for each of its classes (``ImageMean``), of both levels.

    Args:
        student: the segmentor.
        device: to work on.
    """

    def __init__(self, student: Any, device: str | torch.device = 'cpu') -> None:
        classes = student.num_classes
        widths = {'feature': embedding_channels(student), 'output': classes}
        self.banks = {
            level: PrototypeBank(classes, width, 'image_mean', sync=False).to(device) for level, width in widths.items()
        }

    def add(self, out: SegOutput, labels: Tensor | None = None) -> None:
        """Take in the student's output; its prediction is the label, with labels (B, H, W) where it is right."""
        logits = own_logits(out)
        predicted = logits.argmax(dim=1)
        if labels is not None:
            predicted = predicted.where(predicted == resize_labels(labels, predicted.shape[1:]), IGNORE)
        if out.embedding is None:
            raise ValueError('the head gives no feature before its classifier, of which prototypes could be means')
        for level, features in (('feature', out.embedding), ('output', logits)):
            self.banks[level].update(features, predicted)

    def means(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Prototypes (C, A) and counts of images (C,) by level; those of several processes weighted by their counts."""
        result = {}
        for level, bank in self.banks.items():
            counts = reduce_sum(bank.counts)
            sums = reduce_sum(bank.vectors.double() * bank.counts[:, None])
            result[level] = sums / counts.clamp(min=1)[:, None], counts.clamp(max=bank.rule.cap)
        return result


def image_mean_features(
    preprocessor: nn.Module, student: Any, dataset: Any, device: str, workers: int = 2
) -> dict[str, tuple[Tensor, Tensor]]:
    """Prototypes of both levels over a dataset of training samples with labels, or of test samples without."""
    total = ImageMeans(student, device)

    def add(sample: Mapping[str, Any]) -> None:
        if 'inputs' in sample:
            data = preprocessor({'inputs': [sample['inputs']], 'data_samples': [sample['data_samples']]}, False)
            total.add(student(data['inputs']))
        else:
            tensors = {key: sample[key][None] for key in ('image', 'label')}
            batch = preprocessor({**tensors, 'meta': [sample['meta']]}, training=True).source
            total.add(student(batch.images), batch.labels)

    run_over(dataset, add, 'Prototypes', workers)
    return total.means()
