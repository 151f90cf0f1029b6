"""Confusion matrix, IoU and the four scores of PBAL's test script."""

import numpy as np
from mmengine.structures import PixelData

from mmseg.evaluation import IoUMetric
from mmseg.structures import SegDataSample


def run(case):
    count = case.meta['options']['num_classes']
    classes = [f'class {number}' for number in range(count)]
    metric = IoUMetric(iou_metrics=['mIoU', 'fwIoU'])
    metric.dataset_meta = {'classes': classes}
    images = 0
    for batch in range(len(case.inputs) // 2):
        labels, predictions = case.tensor(f'label{batch}'), case.tensor(f'pred{batch}')
        for label, prediction in zip(labels, predictions, strict=True):
            sample = SegDataSample(metainfo={'img_path': 'image.png'})
            sample.pred_sem_seg, sample.gt_sem_seg = (PixelData(data=ids[None]) for ids in (prediction, label))
            metric.process({}, [sample])
            images += 1
    scores = metric.evaluate(images)
    np.testing.assert_array_equal(metric.confusion, case.arrays['out/confusion'])
    iou = np.array([scores[f'IoU.{name}'] / 100 for name in classes])
    np.testing.assert_allclose(np.nan_to_num(iou, nan=-1), case.arrays['out/iou'], atol=1e-6)
    ours = [scores[name] / 100 for name in ('aAcc', 'mAcc', 'fwIoU', 'mIoU')]
    np.testing.assert_allclose(ours, case.arrays['out/scores'], atol=1e-6)
