"""From arrays to what the loader stacks: bytes and file facts."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from mmengine.structures import PixelData

from mmseg.datasets.transforms.base import Results, Transform
from mmseg.registry import TRANSFORMS
from mmseg.structures import SegDataSample

META_KEYS = ('img_path', 'seg_map_path', 'ori_shape', 'img_shape', 'scale_factor', 'flip', 'flip_direction')
# Where a sample comes from: its dataset, and if there are such its crop (y1, y2, x1, x2 before flipping) and the class
# that it was drawn for.
ORIGIN_KEYS = ('dataset', 'crop_box', 'crop_from', 'sampled_class')


def image_tensor(image: np.ndarray) -> torch.Tensor:
    """(H, W, 3) uint8 array -> (3, H, W) uint8 tensor."""
    # cv2.split is the fastest way to separate interleaved bytes: 25 times permute().contiguous().
    planes = np.empty((3, *image.shape[:2]), np.uint8)
    cv2.split(image, list(planes))
    return torch.from_numpy(planes)


def map_tensor(values: np.ndarray) -> torch.Tensor:
    """(H, W) uint8 array -> tensor of its own memory."""
    return torch.from_numpy(np.array(values, order='C'))


def sample_meta(results: Results) -> Results:
    """The file facts of a sample; not flipped and not scaled unless a transform said so."""
    defaults = {'scale_factor': (1.0, 1.0), 'flip': False, 'flip_direction': 'horizontal'}
    meta = {key: results.get(key, defaults.get(key)) for key in META_KEYS}
    return meta | {key: results[key] for key in ORIGIN_KEYS if key in results}


@TRANSFORMS.register_module()
class PackTrainInputs(Transform):
    """Training sample: uint8 ``image`` (3, H, W) BGR; ``label``, ``valid``, ``depth`` (H, W) if present; ``meta``.

    Also ``whole`` (3, H', W') uint8 of ``KeepWholeImage`` and ``soft_label`` (C, h, w) of ``LoadSoftLabels``.
    """

    def __call__(self, results: Results) -> Results:
        sample = {'image': image_tensor(results['img']), 'meta': sample_meta(results)}
        for key, name in (('label', 'gt_seg_map'), ('valid', 'valid')):
            if name in results:
                sample[key] = map_tensor(results[name])
        if 'depth' in results:
            sample['depth'] = map_tensor(results['depth'].astype(np.uint8))
        if 'whole' in results:
            sample['whole'] = image_tensor(results['whole'])
        if 'soft_label' in results:
            sample['soft_label'] = torch.from_numpy(results['soft_label'])
        return sample


@TRANSFORMS.register_module()
class PackSegInputs(Transform):
    """Validation or test sample, mmseg-1.x style.

    ``inputs`` (3, H, W) BGR uint8, a list of such with several scales; ``data_samples`` a ``SegDataSample``, with the
    full-size label map where one was loaded.
    """

    def __call__(self, results: Results) -> Results:
        images = results['img']
        inputs = [image_tensor(item) for item in images] if isinstance(images, list) else image_tensor(images)
        data_sample = SegDataSample(metainfo=sample_meta(results))
        if 'gt_seg_map' in results:
            data_sample.gt_sem_seg = PixelData(data=map_tensor(results['gt_seg_map'])[None])
        return {'inputs': inputs, 'data_samples': data_sample}
