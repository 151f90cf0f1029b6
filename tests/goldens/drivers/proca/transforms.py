"""Geometry of training and test images with given decisions, and normalisation."""

import numpy as np
import torch

from mmseg.datasets.randomness import Draws
from mmseg.datasets.transforms import Compose, PackTrainInputs, PadAround, RandomCrop, RandomFlip, Resize
from mmseg.models.data_preprocessor import SegDataPreProcessor

RESAMPLING = {'interpolation': 'bicubic', 'backend': 'pillow', 'keep_ratio': False}


def run(case):
    image, label = case.inputs['image'], case.inputs['label'].astype(np.uint8)
    for job in case.meta['jobs']:
        steps, given = pipeline(job, image.shape, case.inputs['decisions'][job['tag']])
        results = {
            'img': np.ascontiguousarray(image[..., ::-1]),
            'img_path': 'image.png',
            'seg_map_path': 'label.png',
            'img_shape': image.shape[:2],
            'ori_shape': image.shape[:2],
            'draws': Draws(np.random.default_rng(0), given),
        }
        if job['mode'] == 'train':
            results['gt_seg_map'] = label
        sample = Compose(steps)(results)
        batch = {'image': torch.as_tensor(sample['image'])[None], 'meta': [sample['meta']]}
        normalised = SegDataPreProcessor()(batch, training=True).source.images[0].numpy()
        assert list(normalised.shape) == job['out_image']
        stored, atol = case.arrays[f'{job["tag"]}_image'], case.meta['atol']
        np.testing.assert_allclose(normalised[:, ::2, ::3], stored, atol=atol, err_msg=job['tag'])
        labels = sample['label'].numpy() if job['mode'] == 'train' else label
        assert list(labels.shape) == job['out_label']
        np.testing.assert_array_equal(labels[::2, ::2], case.arrays[f'{job["tag"]}_label'])


def pipeline(job, shape, decisions):
    """Our transforms for a job, and the decisions under our names."""
    settings = job['settings']
    domains = ('SOURCE', 'TARGET') if job['is_source'] else ('TARGET', 'SOURCE')
    given = [settings.get(f'INPUT.{domain}_INPUT_SIZE_TRAIN') for domain in domains]
    size = settings['INPUT.INPUT_SIZE_TEST'] if job['mode'] == 'test' else given[0] or given[1]
    size = tuple(size)
    scales = settings.get('INPUT.INPUT_SCALES_TRAIN', (1, 1))
    flip = settings.get('INPUT.HORIZONTAL_FLIP_PROB_TRAIN', 0)
    if tuple(scales) == (1, 1):
        steps, given = [Resize(size, **RESAMPLING)], {}
    else:
        height, width = shape[:2]
        resize, crop = Resize((width, height), ratio_range=tuple(scales), **RESAMPLING), size[::-1]
        steps = [resize, PadAround(crop), RandomCrop(crop)]
        row, column = decisions['crop_row'], decisions['crop_col']
        given = {
            'scale': [resize.draw_scale(Given(decisions['scale']))],
            'crop_box': [(row, row + crop[0], column, column + crop[1])],
        }
    if flip:
        # Ours flips where the number is below the chance, as the original does.
        steps.append(RandomFlip(flip))
        # The only draw of a transform that neither scales nor crops bears the first draw's name.
        given['flip'] = [decisions.get('flip', decisions.get('scale'))]
    return [*steps, PackTrainInputs()], given


class Given:
    """A generator of one number."""

    def __init__(self, value):
        self.value = value

    def random(self):
        return self.value
