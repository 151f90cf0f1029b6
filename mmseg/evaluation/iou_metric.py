"""The segmentation metric: IoU and its relatives from one confusion matrix."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from mmseg.engine.gradient_sync import rank
from mmseg.evaluation.background_writer import BackgroundWriter, to_host
from mmseg.evaluation.classes import class_indices
from mmseg.evaluation.confusion import (
    SCORES_OF_METRIC,
    class_scores,
    count_pixels,
    frequency_weighted_iou,
    overall_accuracy,
    present_mean,
)
from mmseg.evaluation.confusion_sums import ConfusionSums
from mmseg.evaluation.id_checks import IdChecks
from mmseg.evaluation.prediction_files import write_ids, write_picture
from mmseg.evaluation.tables import class_table, summary_table
from mmseg.registry import METRICS

NOTHING_LABELLED = (
    'No pixel of the label maps is labelled, so there is no score. Of a test split? Its labels are not public: '
    'tools/test.py --format-only writes what its server takes'
)


@METRICS.register_module()
class IoUMetric(BaseMetric):
    """Adds up a confusion matrix on the predictions' device and scores it once, in percent.

    Keys of the result: ``aAcc``, ``mIoU``, ``mAcc``, ``IoU.<class>``, ``Acc.<class>`` and one mean IoU per subset; for
    ``mDice`` and ``mFscore`` likewise. Several data sets are scored each on its own, with keys such as
    ``cityscapes/mIoU``; keys without a name are then the means of the sets' scores, and a set's pixels do not weigh.

    Args:
        ignore_index: label id that is left out.
        subsets: means over some of the classes, as name -> class names (``SYNTHIA_SUBSETS``).
        iou_metrics: which of mIoU, mDice, mFscore, and fwIoU: IoU weighted with the classes' share of the pixels.
        prefix: put before all keys as ``prefix/``.
        nan_to_num: score of a class that appears neither in labels nor predictions (the ACDC server counts 0);
            None leaves it out of the means.
        format_only: only write files; no labels are needed and nothing is scored.
        output_dir: where the label-id PNGs go.
        to_label_id: False writes train ids there.
        show_dir: where pictures of the predictions go.
        opacity: 1 = palette PNGs with train ids, less = laid over the images.
        image_root: folder whose sub-folders are kept below ``show_dir``; of several data sets by name.

    Raises:
        ValueError: an unknown metric, or ``format_only`` without a folder.

    Attributes:
        confusion: (C, C) int64 pixel counts of the last evaluation, true classes in rows; None before it. Of several
            data sets their sum.
        confusions: those of each data set by name; empty with a single one.
    """

    # BaseMetric warns where no prefix is set.
    default_prefix = ''

    def __init__(
        self,
        ignore_index: int = 255,
        subsets: Mapping[str, Sequence[str]] | None = None,
        iou_metrics: Sequence[str] = ('mIoU',),
        prefix: str | None = None,
        nan_to_num: float | None = None,
        format_only: bool = False,
        output_dir: str | None = None,
        to_label_id: bool = True,
        show_dir: str | None = None,
        opacity: float = 1.0,
        image_root: str | Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(prefix=prefix)
        unknown = set(iou_metrics) - set(SCORES_OF_METRIC)
        if unknown:
            raise ValueError(f'unknown metric {sorted(unknown)[0]!r}; there are {", ".join(SCORES_OF_METRIC)}')
        if format_only and not (output_dir or show_dir):
            raise ValueError('format_only needs output_dir, the folder for the PNG files (or show_dir)')
        self.ignore_index = ignore_index
        self.subsets = dict(subsets or {})
        self.iou_metrics = list(iou_metrics)
        self.nan_to_num = nan_to_num
        self.format_only = format_only
        self.output_dir = output_dir
        self.to_label_id = to_label_id
        self.show_dir = show_dir
        self.opacity = opacity
        self.image_root = image_root
        self.confusion: Tensor | None = None
        self.confusions: dict[str, Tensor] = {}
        self._sums = ConfusionSums()
        self._checks: IdChecks | None = None
        self._writer: BackgroundWriter | None = None

    @property
    def classes(self) -> Sequence[str]:
        return self.dataset_meta['classes']

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the data sets; empty where there is only one."""
        return tuple(self.dataset_meta.get('datasets') or ())

    def process(self, data_batch: Any, data_samples: Sequence[Any]) -> None:
        """Count one batch of predictions, and write their files in the background; does not wait for the device.

        Args:
            data_batch: not used.
            data_samples: with ``pred_sem_seg``, ``gt_sem_seg`` (unless ``format_only``) and file names; as
                ``SegDataSample`` or as mmengine's dict of one.

        Raises:
            ValueError: no label map, one of another size than the prediction, or ids outside the classes (on a GPU
                some images later, :class:`IdChecks`).
            OSError: a file of an earlier prediction could not be written.
        """
        for sample in data_samples:
            sample = sample if isinstance(sample, Mapping) else sample.to_dict()
            prediction = sample['pred_sem_seg']['data'].squeeze(0)
            self._write(prediction, sample)
            if not self.format_only:
                self._count(prediction, sample)

    def _count(self, prediction: Tensor, sample: Mapping[str, Any]) -> None:
        name = sample.get('seg_map_path') or sample.get('img_path', 'image without a name')
        if 'gt_sem_seg' not in sample:
            raise ValueError(f'{name}: no label map to evaluate with; --format-only and --show-dir need none')
        label = sample['gt_sem_seg']['data'].squeeze(0).to(prediction.device, non_blocking=True)
        if label.shape != prediction.shape:
            sizes = ' and '.join(f'{width}x{height}' for height, width in (label.shape, prediction.shape))
            raise ValueError(f'{name}: label map and prediction differ in size: {sizes} (width x height)')
        counts, extremes = count_pixels(prediction, label, len(self.classes), self.ignore_index)
        self._checks = self._checks or IdChecks(len(self.classes))
        self._checks.add(name, extremes)
        self._sums.add(counts, sample['dataset'] if self.datasets else '')

    def _write(self, prediction: Tensor, sample: Mapping[str, Any]) -> None:
        if not (self.output_dir or self.show_dir):
            return
        self._writer = self._writer or BackgroundWriter()
        path, own = sample.get('img_path', ''), sample['dataset'] if self.datasets else ''
        self._writer.submit(self._write_files, to_host(prediction), path, own)

    def _write_files(self, array: Callable[[], np.ndarray], path: str, own: str) -> None:
        prediction = array()
        if self.output_dir:
            write_ids(prediction, path, Path(self.output_dir) / own, self.classes, self.to_label_id)
        if self.show_dir:
            root = self.image_root.get(own) if isinstance(self.image_root, Mapping) else self.image_root
            palette = self.dataset_meta['palette']
            write_picture(prediction, path, Path(self.show_dir) / own, palette, self.opacity, root)

    def close(self) -> None:
        """Wait until the files of all predictions so far are written.

        Raises:
            OSError: a file could not be written.
            ValueError: the classes have no label ids.
        """
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def evaluate(self, size: int) -> dict[str, float]:
        """Add up over the processes, score, print, and start anew.

        Args:
            size: images in the data set.

        Raises:
            ValueError: nothing was counted, or ids outside the classes.
            OSError: a file could not be written.
        """
        self.close()
        if self.format_only:
            return {}
        checks, self._checks = self._checks, None
        if checks is not None:
            checks.finish()
        totals = self._sums.totals(self.datasets or ('',), size, len(self.classes))
        totals = {name: matrix.cpu() for name, matrix in totals.items()}
        self._sums = ConfusionSums()
        self.confusion = torch.stack(list(totals.values())).sum(0)
        self.confusions = totals if self.datasets else {}
        scores = self._score_sets(totals) if self.datasets else self.compute_metrics([self.confusion])
        return {f'{self.prefix}/{key}' if self.prefix else key: value for key, value in scores.items()}

    def _score_sets(self, totals: Mapping[str, Tensor]) -> dict[str, float]:
        """Means over the data sets that have images, then each set's own scores."""
        own = {name: self._scores(matrix) for name, matrix in totals.items()}
        keys = next(iter(own.values())).keys()
        means = {
            key: float(present_mean(torch.tensor([scores[key] for scores in own.values()], dtype=torch.float64)))
            for key in keys
        }
        for name, scores in own.items():
            self._print(f'Classes of {name}', class_table(self.classes, self._columns(scores)))
        rows = {**own, 'mean': means}
        self._print('Summary', summary_table({name: _overall(scores) for name, scores in rows.items()}))
        return means | {f'{name}/{key}': value for name, scores in own.items() for key, value in scores.items()}

    def compute_metrics(self, results: Sequence[Tensor]) -> dict[str, float]:
        """Scores in percent from confusion matrices, printed as tables.

        Args:
            results: (C, C) pixel counts, true classes in rows; they are added up.
        """
        scores = self._scores(torch.stack(list(results)).sum(0).cpu())
        self._print('Classes', class_table(self.classes, self._columns(scores)))
        self._print('Summary', summary_table({'': _overall(scores)}))
        return scores

    def _scores(self, matrix: Tensor) -> dict[str, float]:
        """Means first, then ``<score>.<class>``, in percent."""
        if not matrix.any():
            print_log(NOTHING_LABELLED, 'current', logging.WARNING)
        per_class = {name: 100 * values for name, values in class_scores(matrix).items()}
        if self.nan_to_num is not None:
            per_class = {name: values.nan_to_num(self.nan_to_num) for name, values in per_class.items()}
        scores = {'aAcc': 100 * float(overall_accuracy(matrix))}
        scores |= {f'm{name}': float(present_mean(per_class[name])) for name in self._shown}
        if 'fwIoU' in self.iou_metrics:
            scores['fwIoU'] = 100 * float(frequency_weighted_iou(matrix))
        for name, members in self.subsets.items():
            scores[name] = float(present_mean(per_class['IoU'], class_indices(members, self.classes)))
        for name in self._shown:
            scores |= zip((f'{name}.{label}' for label in self.classes), per_class[name].tolist(), strict=True)
        return scores

    @property
    def mean_names(self) -> list[str]:
        """Names of the scores that are not of a single class."""
        frequency_weighted = [name for name in self.iou_metrics if name == 'fwIoU']
        return ['aAcc', *(f'm{name}' for name in self._shown), *frequency_weighted, *self.subsets]

    @property
    def _shown(self) -> list[str]:
        return list(dict.fromkeys(name for metric in self.iou_metrics for name in SCORES_OF_METRIC[metric]))

    def _columns(self, scores: Mapping[str, float]) -> dict[str, list[float]]:
        return {name: [scores[f'{name}.{label}'] for label in self.classes] for name in self._shown}

    @staticmethod
    def _print(title: str, table: str) -> None:
        if rank() == 0:
            print_log(f'{title}:\n{table}', logger='current')


def _overall(scores: Mapping[str, float]) -> dict[str, float]:
    """Those that are not of a single class."""
    return {key: value for key, value in scores.items() if '.' not in key}
