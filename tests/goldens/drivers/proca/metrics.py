"""IoU and accuracy; an absent class counts 0 in the means, and of 16 classes 13 have a mean of their own."""

import numpy as np
from mmengine.structures import PixelData

from mmseg.evaluation import SYNTHIA_SUBSETS, IoUMetric
from mmseg.evaluation.classes import CITYSCAPES_LABEL_IDS
from mmseg.structures import SegDataSample


def run(case):
    count = len(case.arrays['iou'])
    classes = list(CITYSCAPES_LABEL_IDS) if count == 19 else SYNTHIA_SUBSETS['mIoU16']
    assert len(classes) == count
    subsets = {'mIoU13': SYNTHIA_SUBSETS['mIoU13']} if count == 16 else {}
    metric = IoUMetric(nan_to_num=0, subsets=subsets)
    metric.dataset_meta = {'classes': classes}
    for i in range(case.meta['inputs']['images']):
        sample = SegDataSample(metainfo={'img_path': 'image.png'})
        sample.pred_sem_seg = PixelData(data=case.tensor(f'pred{i}')[None])
        sample.gt_sem_seg = PixelData(data=case.tensor(f'gt{i}')[None])
        metric.process({}, [sample])
    scores = metric.evaluate(case.meta['inputs']['images'])
    for name, array in (('IoU', 'iou'), ('Acc', 'acc')):
        ours = [scores[f'{name}.{label}'] / 100 for label in classes]
        np.testing.assert_allclose(ours, case.arrays[array], atol=1e-6)
    names = {'mIoU': 'mIoU', 'mAcc': 'mAcc', 'allAcc': 'aAcc'}
    for name, expected in case.meta['results'].items():
        ours = names.get(name, 'mIoU13')  # however the case spells the mean of 13 classes
        assert ours != 'mIoU13' or '13' in name, f'unknown result {name}'
        np.testing.assert_allclose(scores[ours] / 100, expected, atol=1e-6, err_msg=name)
