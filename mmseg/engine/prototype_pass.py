"""Prototypes of a trained network: means over all source images, once each, without augmentation.

Reference: ProCA (Jiang et al., ECCV 2022), the stage before the adaptation.
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
from mmseg.models.uda.components.prototypes import class_sums
from mmseg.structures import SegOutput

KEPT = ('LoadImageFromFile', 'LoadAnnotations', 'Resize', 'PackTrainInputs')


def plain_pipeline(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A training pipeline without its random steps: whole images at their training size.

    Raises:
        ValueError: it loads no labels.
    """
    kept = [{k: v for k, v in step.items() if k != 'ratio_range'} for step in steps if step['type'] in KEPT]
    if not any(step['type'] == 'LoadAnnotations' for step in kept):
        raise ValueError('the source data come without labels: their pipeline needs LoadAnnotations')
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
