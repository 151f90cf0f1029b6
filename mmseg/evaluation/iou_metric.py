"""The segmentation metric: IoU and its relatives from one confusion matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from mmseg.engine.gradient_sync import rank, reduce_sum, world_size
from mmseg.evaluation.classes import class_indices
from mmseg.evaluation.confusion import (
    SCORES_OF_METRIC,
    class_scores,
    confusion_matrix,
    overall_accuracy,
    present_mean,
)
from mmseg.evaluation.prediction_files import write_ids, write_picture
from mmseg.evaluation.tables import class_table, summary_table
from mmseg.registry import METRICS


@METRICS.register_module()
class IoUMetric(BaseMetric):
    """Adds up a confusion matrix on the predictions' device and scores it once, in percent.

    Keys of the result: ``aAcc``, ``mIoU``, ``mAcc``, ``IoU.<class>``, ``Acc.<class>`` and one mean IoU per subset; for
    ``mDice`` and ``mFscore`` likewise.

    Args:
        ignore_index: label id that is left out.
        subsets: means over some of the classes, as name -> class names (``SYNTHIA_SUBSETS``).
        iou_metrics: which of mIoU, mDice, mFscore.
        prefix: put before all keys as ``prefix/``.
        nan_to_num: score of a class that appears neither in labels nor predictions (the ACDC server counts 0);
            None leaves it out of the means.
        format_only: only write files; no labels are needed and nothing is scored.
        output_dir: where the label-id PNGs go.
        to_label_id: False writes train ids there.
        show_dir: where pictures of the predictions go.
        opacity: 1 = palette PNGs with train ids, less = laid over the images.
        image_root: folder whose sub-folders are kept below ``show_dir``.

    Raises:
        ValueError: an unknown metric, or ``format_only`` without a folder.

    Attributes:
        confusion: (C, C) int64 pixel counts of the last evaluation, true classes in rows; None before it.
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
        image_root: str | None = None,
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
        self._matrix: Tensor | None = None
        self._last: Tensor | None = None
        self._processed = 0

    @property
    def classes(self) -> Sequence[str]:
        return self.dataset_meta['classes']

    def process(self, data_batch: Any, data_samples: Sequence[Any]) -> None:
        """Count one batch of predictions; write their files.

        Args:
            data_batch: not used.
            data_samples: with ``pred_sem_seg``, ``gt_sem_seg`` (unless ``format_only``) and file names; as
                ``SegDataSample`` or as mmengine's dict of one.

        Raises:
            ValueError: no label map, one of another size than the prediction, or ids outside the classes.
        """
        for sample in data_samples:
            sample = sample if isinstance(sample, Mapping) else sample.to_dict()
            prediction = sample['pred_sem_seg']['data'].squeeze(0)
            self._write(prediction, sample.get('img_path', ''))
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
        try:
            counts = confusion_matrix(prediction, label, len(self.classes), self.ignore_index)
        except ValueError as error:
            raise ValueError(f'{name}: {error}') from None
        if self._last is not None:
            self._matrix = self._last if self._matrix is None else self._matrix + self._last
        # The last image waits: it may be a repetition, see `_total`.
        self._last = counts
        self._processed += 1

    def _write(self, prediction: Tensor, image_path: str) -> None:
        if not (self.output_dir or self.show_dir):
            return
        array = prediction.cpu().numpy()
        if self.output_dir:
            write_ids(array, image_path, self.output_dir, self.classes, self.to_label_id)
        if self.show_dir:
            palette = self.dataset_meta['palette']
            write_picture(array, image_path, self.show_dir, palette, self.opacity, self.image_root)

    def evaluate(self, size: int) -> dict[str, float]:
        """Add up over the processes, score, print, and start anew.

        Args:
            size: images in the data set.

        Raises:
            ValueError: nothing was counted.
        """
        if self.format_only:
            return {}
        self.confusion = self._total(size).cpu()
        scores = self.compute_metrics([self.confusion])
        self._matrix, self._last, self._processed = None, None, 0
        return {f'{self.prefix}/{key}' if self.prefix else key: value for key, value in scores.items()}

    def _total(self, size: int) -> Tensor:
        if self._last is None:
            if size == 0 or world_size() == 1:
                raise ValueError('nothing to evaluate: no image was processed')
            # A process without images must still take part in the sum.
            return reduce_sum(torch.zeros((len(self.classes),) * 2, dtype=torch.int64, device=get_device()))
        total = torch.zeros_like(self._last) if self._matrix is None else self._matrix
        # Samplers deal images out in turns and fill the last round up with repetitions, which must not count twice.
        repeated = rank() + (self._processed - 1) * world_size() >= size
        return reduce_sum(total if repeated else total + self._last)

    def compute_metrics(self, results: Sequence[Tensor]) -> dict[str, float]:
        """Scores in percent from confusion matrices, printed as tables.

        Args:
            results: (C, C) pixel counts, true classes in rows; they are added up.
        """
        matrix = torch.stack(list(results)).sum(0).cpu()
        per_class = {name: 100 * values for name, values in class_scores(matrix).items()}
        if self.nan_to_num is not None:
            per_class = {name: values.nan_to_num(self.nan_to_num) for name, values in per_class.items()}
        shown = list(dict.fromkeys(name for metric in self.iou_metrics for name in SCORES_OF_METRIC[metric]))
        summary = {'aAcc': 100 * float(overall_accuracy(matrix))}
        summary |= {f'm{name}': float(present_mean(per_class[name])) for name in shown}
        for name, members in self.subsets.items():
            summary[name] = float(present_mean(per_class['IoU'], class_indices(members, self.classes)))
        columns = {name: per_class[name].tolist() for name in shown}
        if rank() == 0:
            print_log(f'Classes:\n{class_table(self.classes, columns)}', logger='current')
            print_log(f'Summary:\n{summary_table(summary)}', logger='current')
        return summary | {
            f'{name}.{label}': value
            for name, values in columns.items()
            for label, value in zip(self.classes, values, strict=True)
        }
