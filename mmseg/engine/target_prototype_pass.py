"""Class prototypes of a trained network on the target's training crops, by its own predictions.

Reference: DDB (Chen et al., NeurIPS 2022), between its self-training and its distillation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmseg.datasets.randomness import Draws, sample_generator
from mmseg.engine.class_prototype_files import ClassPrototypes
from mmseg.engine.dataset_pass import run_over
from mmseg.models.resize import resize
from mmseg.models.uda.components.contrast import embedding_channels
from mmseg.models.uda.components.frozen_teachers import weights_hash
from mmseg.models.uda.components.prototypes import ClassSums, PrototypeBank, resized_class_sums


def training_pipeline(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A target's training pipeline without labels, unless they choose its crops."""
    if any(step['type'] == 'RandomCrop' and step.get('cat_max_ratio', 1) < 1 for step in steps):
        return steps
    return [step for step in steps if step['type'] != 'LoadAnnotations']


class Epochs(Dataset):
    """Files in their order, several times over, each time with other crops; sample n follows from (seed, n) alone."""

    def __init__(self, dataset: Any, epochs: int, seed: int = 0) -> None:
        if epochs < 1:
            raise ValueError(f'--epochs {epochs}: at least one pass over the images is needed')
        self.dataset = dataset
        self.epochs = epochs
        self.seed = seed

    def __len__(self) -> int:
        return self.epochs * len(self.dataset)

    def __getitem__(self, number: int) -> dict[str, Any]:
        return self.dataset.sample(number % len(self.dataset), Draws(sample_generator(self.seed, number)))


class TargetPrototypes:
    """A running mean over images of the feature where a class is predicted, at image size.

    An image counts for a class with at least 10 pixels of it; beyond 3000 images the mean becomes a moving average, as
    published, unless the rule says otherwise.

    Args:
        student: the segmentor, in eval mode.
        device: to compute on.
        rule: settings of the rule, see :class:`ImageMean`.
    """

    def __init__(self, student: Any, device: str | torch.device = 'cpu', rule: Mapping[str, Any] | None = None) -> None:
        self.student = student
        classes, channels = student.num_classes, embedding_channels(student)
        self.bank = PrototypeBank(classes, channels, rule={'type': 'image_mean', **(rule or {})}).double().to(device)

    def add(self, images: Tensor) -> None:
        """Take in images (B, 3, H, W), one after the other.

        Raises:
            ValueError: the head gives no embedding.
        """
        out = self.student(images)
        if out.embedding is None:
            raise ValueError('the head gives no feature before its classifier, of which prototypes could be means')
        logits = resize(out.logits['main'], images.shape[2:], self.student.align_corners)
        self.bank.take(resized_class_sums(out.embedding, logits.argmax(dim=1), self.student.num_classes))

    def add_nothing(self) -> None:
        """Take part in the exchange between processes without an image."""
        classes, channels = self.bank.vectors.shape
        sums = self.bank.vectors.new_zeros(1, classes, channels)
        self.bank.take(ClassSums(sums, self.bank.counts.new_zeros(1, classes)))

    def result(self, classes: tuple[str, ...] = ()) -> ClassPrototypes:
        """The prototypes, and of which network they are."""
        network = weights_hash(self.student.state_dict().values())
        return ClassPrototypes(self.bank.vectors.float().cpu(), self.bank.counts.cpu(), network, classes)


def target_prototypes(
    preprocessor: nn.Module,
    student: Any,
    dataset: Epochs,
    device: str,
    workers: int = 2,
    rule: Mapping[str, Any] | None = None,
) -> ClassPrototypes:
    """Prototypes over a dataset's samples, in their order whatever the number of processes.

    Args:
        preprocessor: of the network's images.
        student: the segmentor, in eval mode.
        dataset: the samples.
        device: to compute on.
        workers: processes that read images.
        rule: as in :class:`TargetPrototypes`.
    """
    found = TargetPrototypes(student, device, rule)

    def add(sample: Mapping[str, Any]) -> None:
        batch = preprocessor({'image': sample['image'][None], 'meta': [sample['meta']]}, training=True).source
        found.add(batch.images)

    run_over(dataset, add, 'Prototypes', workers, without=found.add_nothing)
    return found.result(tuple(dataset.dataset.metainfo['classes']))
