"""Hard pseudo-labels of a trained network, kept where it is confident: by class, or above one threshold.

References: the rule of ProCA's code (Jiang et al., ECCV 2022; the paper says median), after CBST (Zou et al., 2018);
ProDA's (Zhang et al., CVPR 2021).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmseg.datasets.base_dataset import without_suffix
from mmseg.datasets.transforms.pseudo_labels import CONFIDENCE_SUFFIX
from mmseg.engine.class_thresholds import ClassThresholds, hard_labels
from mmseg.engine.dataset_pass import run_over
from mmseg.engine.gradient_sync import gather_objects, rank, reduce_sum
from mmseg.engine.soft_pseudo_labels import confident_labels, full_size_probabilities, network_probabilities

THRESHOLDS = 'thres_const.npy'
REPORT = 'pseudo_labels.json'


def test_pipeline(cfg: Any) -> list[dict[str, Any]]:
    """The config's way of testing, without labels.

    Raises:
        ValueError: the config tests nothing.
    """
    from mmseg.evaluation.config_options import evaluated_configs

    return [step for step in evaluated_configs(cfg)[0]['pipeline'] if step['type'] != 'LoadAnnotations']


@dataclass(frozen=True)
class LabelOptions:
    """How pseudo-labels are made.

    Attributes:
        threshold: ProDA's rule: pixels whose probability is not above it, in half precision, are left out; 0 keeps all.
            None = ProCA's rule, by class, which ``share`` and ``cap`` of :class:`ClassThresholds` describe.
        share, cap: of that rule.
        flip: average with the prediction for the mirrored image.
        confidence: also write each pixel's probability, ``<label map>_conf.npy`` (float16).
        soft: also write all probabilities at the network's own resolution, ``<label map>.npy`` (C, h, w) float16.

    Raises:
        ValueError: for a threshold outside 0..1.
    """

    threshold: float | None = None
    share: float = 0.6
    cap: float = 0.9
    flip: bool = False
    confidence: bool = False
    soft: bool = False

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ValueError(f'pseudo-labels: threshold must lie between 0 and 1, got {self.threshold}')


@dataclass
class LabelReport:
    """What was written.

    Attributes:
        predicted: (C,) pixels predicted as each class.
        kept: (C,) those that are in the label maps.
        thresholds: (C,) of ProCA's rule; None with another.
        images: label maps written.
        broken: files that could not be read, in all passes.
    """

    predicted: Tensor
    kept: Tensor
    thresholds: Tensor | None = None
    images: int = 0
    broken: int = 0


class Labeller:
    """Turns test samples into pseudo-labels and their files.

    Args:
        preprocessor: of the images.
        student: the segmentor.
        options: how.
    """

    def __init__(self, preprocessor: nn.Module, student: Any, options: LabelOptions) -> None:
        self.preprocessor = preprocessor
        self.student = student
        self.options = options

    def images(self, sample: Mapping[str, Any]) -> Tensor:
        """The sample's image (1, 3, H, W) on the device, normalised.

        Raises:
            ValueError: the config tests with several scales.
        """
        data = self.preprocessor({'inputs': [sample['inputs']], 'data_samples': [sample['data_samples']]}, False)
        if not isinstance(data['inputs'], Tensor):
            raise ValueError('pseudo-labels: the config tests with several scales; take TestTimeScales out')
        return data['inputs']

    def of_classes(self, images: Tensor, size: Sequence[int] | None = None) -> Tensor:
        """Probabilities (1, C, h, w) in the config's way of testing, for ProCA's rule."""
        plain = self.student.inference(images, size)
        if not self.options.flip:
            return plain
        return (plain + self.student.inference(images.flip(-1), size, flip='horizontal')) / 2

    def write(self, sample: Mapping[str, Any], path: Path, palette: Any, thresholds: Tensor | None) -> LabelReport:
        """Write the files of one sample; ``path`` is that of the label map."""
        from mmseg.visualization import save_palette_png

        images, size = self.images(sample), sample['data_samples'].ori_shape
        if thresholds is None or self.options.soft:
            plain = network_probabilities(self.student, images)
            mirrored = network_probabilities(self.student, images.flip(-1)) if self.options.flip else None
        if thresholds is None:
            full = full_size_probabilities(plain, mirrored, size, self.student.align_corners)
            predicted, confidence, labels = confident_labels(full, self.options.threshold or 0.0)
        else:
            full = self.of_classes(images, size)
            predicted, confidence, _ = confident_labels(full, 0.0)
            labels = hard_labels(full, thresholds).cpu().numpy()
        save_palette_png(labels[0], palette, path)
        if self.options.confidence:
            np.save(confidence_path(path), confidence[0])
        if self.options.soft:
            soft = plain if mirrored is None else (plain + mirrored.flip(-1)) / 2
            np.save(soft_path(path), soft[0].cpu().numpy().astype(np.float16))
        count = self.student.num_classes
        found, kept = (torch.from_numpy(np.bincount(ids.ravel(), minlength=256)[:count]) for ids in (predicted, labels))
        return LabelReport(found, kept, images=1)


def label_path(dataset: Any, folder: str | Path, meta: Mapping[str, Any]) -> Path:
    """The label map of an image, from its file facts."""
    return (Path(folder) / dataset.image_name(meta)).with_suffix('.png')


def confidence_path(path: Path) -> Path:
    """The confidences beside a label map."""
    return path.with_name(path.stem + CONFIDENCE_SUFFIX)


def soft_path(path: Path) -> Path:
    """The probabilities beside a label map."""
    return path.with_suffix('.npy')


def check_folder(dataset: Any, folder: str | Path, options: LabelOptions) -> None:
    """Nothing may be written among images, where it would replace or be taken for one, or over files that are not of
    this tool, such as ground truth.

    Raises:
        ValueError: it would be.
    """

    @cache
    def real_folder(path: str | Path) -> Path:
        return Path(os.path.realpath(path))

    image_folders = [(real_folder(part.img_dir), part.img_suffixes) for part in dataset.parts]
    of_this_tool = (Path(folder) / REPORT).is_file()
    for path in _written_files(dataset, folder, options):
        for images, suffixes in image_folders:
            if without_suffix(path.name, suffixes) is not None and real_folder(path.parent).is_relative_to(images):
                raise ValueError(
                    f'pseudo-labels in {folder} would replace images of {images} or be taken for such: name another '
                    '--out-dir'
                )
        if not of_this_tool and path.exists():
            raise ValueError(
                f'pseudo-labels would replace {path}, which is not of this tool (there is no {REPORT} in {folder}): '
                'name another --out-dir'
            )


def _written_files(dataset: Any, folder: str | Path, options: LabelOptions) -> Iterator[Path]:
    for part in dataset.parts:
        for number in range(len(part)):
            path = label_path(dataset, folder, part.record(number))
            yield path
            if options.confidence:
                yield confidence_path(path)
            if options.soft:
                yield soft_path(path)


def claim_folder(folder: str | Path) -> None:
    """Say in the folder that its label maps are being made; what an earlier run said of them goes."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f'{REPORT}.tmp'
    unfinished.write_text(json.dumps({'finished': False}) + '\n', encoding='utf-8')
    unfinished.replace(folder / REPORT)
    (folder / THRESHOLDS).unlink(missing_ok=True)


def label_dataset(
    labeller: Labeller, dataset: Any, folder: str | Path, device: str = 'cpu', workers: int = 2
) -> LabelReport:
    """Write a palette PNG of train ids for every image of a dataset, under the image's name and sub-folder
    (with several datasets, below the name of its own).

    ProCA's rule takes two passes: thresholds from predictions at the network's input size, then labels at the images'
    own size. Several processes each write their share; the report is of all.

    Raises:
        ValueError: the folder holds images, ground truth, or files of something else.
    """
    options, classes = labeller.options, labeller.student.num_classes
    check_folder(dataset, folder, options)
    predicted, kept = torch.zeros(2, classes, dtype=torch.int64).unbind()
    total = LabelReport(predicted, kept)
    if options.threshold is None:
        measured = ClassThresholds(classes, options.share, options.cap, device)

        def measure(sample: Mapping[str, Any]) -> None:
            measured.add(labeller.of_classes(labeller.images(sample)))

        total.broken += len(run_over(dataset, measure, 'Thresholds', workers))
        total.thresholds = measured.thresholds()

    if rank() == 0:
        claim_folder(folder)
    gather_objects([])  # no process writes before all have looked at the folder

    def write(sample: Mapping[str, Any]) -> None:
        path = label_path(dataset, folder, sample['data_samples'].metainfo)
        path.parent.mkdir(parents=True, exist_ok=True)
        found = labeller.write(sample, path, dataset.metainfo['palette'], total.thresholds)
        total.predicted += found.predicted
        total.kept += found.kept
        total.images += found.images

    total.broken += len(run_over(dataset, write, 'Pseudo-labels', workers))
    counts = torch.cat([total.predicted, total.kept, torch.tensor([total.images])]).to(device)
    predicted, kept, images = reduce_sum(counts).cpu().split([classes, classes, 1])
    return replace(total, predicted=predicted, kept=kept, images=int(images))
