"""A depth file through the pipeline: tone curve, resize, crop, flip, pad, step by step."""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from mmseg.datasets.randomness import Draws, sample_generator
from mmseg.datasets.transforms import LoadDepth, PackTrainInputs, Pad, RandomCrop, RandomFlip, Resize
from mmseg.datasets.transforms.depth import tone_curve

ATOL = 1e-3


def run(case):
    meta, arrays = case.meta, case.arrays
    np.testing.assert_array_equal(tone_curve(), arrays['lut'])
    y1, y2, x1, x2 = meta['crop_box_y1y2x1x2']
    height, width = meta['resized_image_hw']
    given = {'crop_box': [(y1, y2, x1, x2)], 'flip': [0.0 if meta['flip_horizontal'] else 1.0]}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'depth.png'
        Image.fromarray(case.inputs['depth_file']).save(path)
        results = LoadDepth()({'depth_path': str(path)})
    check(results, arrays, 'loaded', atol=0)
    results |= {
        'img': np.zeros((height, width, 3), np.uint8),
        'img_path': 'image.png',
        'img_shape': (height, width),
        'ori_shape': (height, width),
        'draws': Draws(sample_generator(0, 0), given),
    }
    steps = {
        'resized': Resize(tuple(meta['resize_scale_wh']), keep_ratio=meta['keep_ratio']),
        'cropped': RandomCrop((y2 - y1, x2 - x1)),
        'flipped': RandomFlip(0.5),
        'padded': Pad(tuple(meta['pad_to_hw'])),
    }
    for name, step in steps.items():
        results = step(results)
        check(results, arrays, name)
        assert results['img'].shape[:2] == results['depth'].shape
    np.testing.assert_array_equal(PackTrainInputs()(results)['depth'].numpy(), np.floor(results['depth']))


def check(results, arrays, name, atol=ATOL):
    if name in arrays:
        np.testing.assert_allclose(results['depth'], arrays[name], rtol=0, atol=atol, err_msg=name)
