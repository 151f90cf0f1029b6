"""Scores of a small set of images: areas, class scores, means, the printed tables' numbers, 16 and 13 classes."""

import re

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData

from mmseg.evaluation import SYNTHIA_SUBSETS, IoUMetric
from mmseg.evaluation.classes import CITYSCAPES_LABEL_IDS, class_indices
from mmseg.evaluation.confusion import class_scores, confusion_matrix, overall_accuracy
from mmseg.structures import SegDataSample

AREAS = {
    'intersect': lambda matrix: matrix.diag(),
    'union': lambda matrix: matrix.sum(0) + matrix.sum(1) - matrix.diag(),
    'pred_area': lambda matrix: matrix.sum(0),
    'label_area': lambda matrix: matrix.sum(1),
}


def run(case):
    count = case.meta['num_classes']
    pairs = [(case.tensor(f'pred{i}'), case.tensor(f'gt{i}')) for i in range(len(case.meta['sizes']))]
    matrix = sum(confusion_matrix(prediction, label, count) for prediction, label in pairs)
    scores = class_scores(matrix) | {'aAcc': overall_accuracy(matrix)}
    for name, expected in case.arrays.items():
        ours = AREAS[name](matrix) if name in AREAS else scores[name]
        np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-6, err_msg=name)
    _compare_metric(case, pairs, count)


def _compare_metric(case, pairs, count):
    classes = _classes(case, count)
    subsets = {
        f'mIoU{size}': [classes[i] for i in case.meta[f'miou{size}_classes']]
        for size in (16, 13)
        if f'miou{size}_classes' in case.meta
    }
    if classes == list(CITYSCAPES_LABEL_IDS):
        assert subsets.items() <= SYNTHIA_SUBSETS.items()
    metrics = ['mIoU', 'mDice', 'mFscore']
    metric = IoUMetric(subsets=subsets, iou_metrics=metrics)
    metric.dataset_meta = {'classes': classes}
    for prediction, label in pairs:
        metric.process({}, [_sample(prediction, label)])
    result = metric.evaluate(len(pairs))
    for name, expected in case.meta.get('evaluate_result', {}).items():
        expected = np.nan if expected is None else expected
        assert result[name] / 100 == pytest.approx(expected, abs=1e-4, nan_ok=True), name
    for name in subsets:
        ours = result[name] / 100
        assert ours == pytest.approx(case.meta[name.lower()], rel=1e-6), name
        ids = class_indices(subsets[name], classes)
        assert ours == pytest.approx(float(np.nanmean(case.arrays['IoU'][ids])), rel=1e-6), name


def _classes(case, count):
    names = [key[4:] for key in case.meta.get('evaluate_result', {}) if re.match(r'IoU\.', key)]
    return names or list(CITYSCAPES_LABEL_IDS)[:count]


def _sample(prediction, label):
    sample = SegDataSample(metainfo={'img_path': 'image.png', 'seg_map_path': 'label.png'})
    sample.pred_sem_seg = PixelData(data=torch.as_tensor(prediction)[None])
    sample.gt_sem_seg = PixelData(data=torch.as_tensor(label)[None])
    return sample
