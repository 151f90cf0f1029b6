"""Hard pseudo-labels of a trained network, kept where it is among the most confident of the predicted class.

Reference: the rule of ProCA's code (Jiang et al., ECCV 2022; the paper says median), after CBST (Zou et al., 2018).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmseg.engine.dataset_pass import run_over
from mmseg.engine.gradient_sync import reduce_sum

IGNORE = 255
BINS = 2**20  # of width 1e-6: a threshold is as exact as a float32 probability deserves
THRESHOLDS = 'thres_const.npy'


class ClassThresholds:
    """The confidence that a share of each class's pixels stays below, from one pass and without keeping a pixel.

    Args:
        num_classes: C.
        share: q, of the pixels predicted as a class, those that are to be left out.
        cap: no threshold is above this: surer pixels are always kept.
        device: to count on.

    Raises:
        ValueError: for a share or a cap outside 0..1.
    """

    def __init__(
        self, num_classes: int, share: float = 0.6, cap: float = 0.9, device: str | torch.device = 'cpu'
    ) -> None:
        for name, value in (('share', share), ('cap', cap)):
            if not 0 <= value <= 1:
                raise ValueError(f'pseudo-labels: {name} must lie between 0 and 1, got {value}')
        self.share = share
        self.cap = cap
        self.counts = torch.zeros(num_classes, BINS, dtype=torch.int64, device=device)

    def add(self, probabilities: Tensor) -> None:
        """Count the pixels of probabilities (B, C, H, W) by predicted class and confidence."""
        confidence, prediction = probabilities.max(dim=1)
        bins = (confidence.double() * BINS).long().clamp(0, BINS - 1)
        places = (prediction * BINS + bins).flatten()
        self.counts.view(-1).scatter_add_(0, places, torch.ones_like(places))

    def thresholds(self) -> Tensor:
        """(C,) float64: min(cap, the value at place round(n q) of the class's n sorted confidences); 0 without pixels.

        Halves are rounded to even; a place beyond the last is the last.
        """
        counts = reduce_sum(self.counts)
        total = counts.sum(dim=1)
        place = torch.minimum((total.double() * self.share).round().long(), (total - 1).clamp(min=0))
        bins = torch.searchsorted(counts.cumsum(dim=1), place[:, None], right=True)[:, 0]
        values = ((bins + 0.5) / BINS).double().clamp(max=self.cap)
        return torch.where(total > 0, values, 0.0).cpu()


def hard_labels(probabilities: Tensor, thresholds: Tensor) -> Tensor:
    """(B, H, W) uint8 predictions, 255 where they are below their class's threshold.

    Args:
        probabilities: (B, C, H, W).
        thresholds: (C,).
    """
    confidence, prediction = probabilities.max(dim=1)
    rejected = confidence.double() < thresholds.to(confidence.device)[prediction]
    return prediction.masked_fill(rejected, IGNORE).to(torch.uint8)


def test_pipeline(cfg: Any) -> list[dict[str, Any]]:
    """The config's way of testing, without labels.

    Raises:
        ValueError: the config tests nothing.
    """
    from mmseg.evaluation.config_options import evaluated_configs

    return [step for step in evaluated_configs(cfg)[0]['pipeline'] if step['type'] != 'LoadAnnotations']


def label_dataset(
    preprocessor: nn.Module,
    student: Any,
    dataset: Any,
    folder: str | Path,
    share: float,
    cap: float,
    device: str,
    workers: int = 2,
) -> tuple[Tensor, int]:
    """Write a palette PNG of train ids for every image of a dataset, under the image's name and sub-folder
    (with several datasets, below the name of its own).

    Two passes: thresholds from predictions at the network's input size, labels at the images' own size.

    Returns:
        The thresholds (C,), and how many files could not be read, of both passes.
    """
    from mmseg.visualization import save_palette_png

    measured = ClassThresholds(student.num_classes, share, cap, device)

    def measure(sample: Mapping[str, Any]) -> None:
        data = preprocessor({'inputs': [sample['inputs']], 'data_samples': [sample['data_samples']]}, False)
        measured.add(student.inference(data['inputs']))

    broken = run_over(dataset, measure, 'Thresholds', workers)
    thresholds = measured.thresholds()

    def write(sample: Mapping[str, Any]) -> None:
        info = sample['data_samples']
        data = preprocessor({'inputs': [sample['inputs']], 'data_samples': [info]}, False)
        labels = hard_labels(student.inference(data['inputs'], info.ori_shape), thresholds)
        path = (Path(folder) / dataset.image_name(info.metainfo)).with_suffix('.png')
        save_palette_png(labels[0].cpu().numpy(), dataset.metainfo['palette'], path)

    return thresholds, len(broken + run_over(dataset, write, 'Pseudo-labels', workers))
