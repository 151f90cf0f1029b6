"""A pair through the training pipelines, the preprocessor included, with given crop boxes and flip draws.

Padding of the valid mask is 0 in ours, 255 in the originals (self_training.md, section 16, 13).
"""

import re
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from mmseg.datasets import CityscapesDataset, GTADataset, UDADataset, collate_domains
from mmseg.models.data_preprocessor import SegDataPreProcessor
from tests.goldens.harness import strided


def run(case):
    with tempfile.TemporaryDirectory() as folder:
        pairs = build_pairs(case, Path(folder))
        sample = pairs.pair(0, decisions(case))
    batch = SegDataPreProcessor().double()(collate_domains([sample]), training=True)
    arrays, meta = case.arrays, case.meta
    for prefix, domain in (('', batch.source), ('target_', batch.target)):
        check_images(domain.images[0].numpy(), f'{prefix}img', arrays)
        check_meta(domain.meta[0], meta['target_meta' if prefix else 'source_meta'], meta['sync_crop_size'])
        assert list(domain.images.shape[1:]) == meta['shapes'][f'{prefix}img']
    for recorded, step in thinned(arrays, 'gt'):
        np.testing.assert_array_equal(batch.source.labels.numpy()[:, ::step, ::step], recorded)
    for recorded, step in thinned(arrays, 'valid_pseudo_mask'):
        valid = batch.target.valid.numpy()[:, ::step, ::step]
        np.testing.assert_array_equal(valid, np.where(recorded == 255, 0, recorded))
    assert batch.target.labels is None


def build_pairs(case, folder):
    """The case's two pictures as datasets of one file each."""
    meta, inputs = case.meta, case.inputs
    write(folder / 'gta/images/00001.png', inputs['source_picture'])
    write(folder / 'gta/labels/00001_labelTrainIds.png', inputs['source_gt'])
    write(folder / 'cityscapes/leftImg8bit/a_leftImg8bit.png', inputs['target_picture'])
    ratio = re.search(r'category ratio (\d+(?:\.\d+)?)', meta['description'])
    crop = tuple(meta['crop'])
    after = [{'type': 'RandomFlip', 'prob': 0.5}, {'type': 'Pad', 'size': crop}, {'type': 'PackTrainInputs'}]
    source = GTADataset(
        data_root=str(folder / 'gta'),
        data_prefix={'img_path': 'images', 'seg_map_path': 'labels'},
        pipeline=[
            {'type': 'LoadImageFromFile'},
            {'type': 'LoadAnnotations'},
            {'type': 'Resize', 'scale': tuple(meta['source_scale']), 'keep_ratio': True},
            {'type': 'RandomCrop', 'crop_size': crop, 'cat_max_ratio': float(ratio.group(1)) if ratio else 0.75},
            *after,
        ],
    )
    target = CityscapesDataset(
        data_root=str(folder / 'cityscapes'),
        data_prefix={'img_path': 'leftImg8bit'},
        pipeline=[
            {'type': 'LoadImageFromFile'},
            {'type': 'Resize', 'scale': tuple(meta['target_scale']), 'keep_ratio': True},
            {'type': 'RandomCrop', 'crop_size': crop},
            *after,
        ],
    )
    margins = meta.get('margins_top_bottom_left_right_at_1024x2048')
    return UDADataset(source, target, sync_crop_size=meta['sync_crop_size'], pseudo_margins=margins)


def write(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values.astype(np.uint8)).save(path)


def decisions(case):
    inputs = case.inputs

    def domain(name):
        boxes = [tuple(int(edge) for edge in box) for box in inputs[f'{name}_boxes']]
        return {'crop_box': boxes, 'flip': inputs[f'{name}_flips']}

    given = {'source': domain('source'), 'target': domain('target')}
    if 'sync_box' in inputs:
        given['pair'] = {'sync_box': [inputs['sync_box']]}
    return given


def thinned(arrays, name):
    """Arrays stored under a name, or as every k-th row and column under ``<name>_s<k>``, with their k."""
    for key in arrays:
        stored, step = strided(key)
        if stored == name:
            yield arrays[key], step


def check_images(image, name, arrays):
    for recorded, step in thinned(arrays, name):
        np.testing.assert_allclose(image[:, ::step, ::step], recorded, atol=0.02)
    statistics = arrays.get('img_mean_std' if name == 'img' else 'target_mean_std')
    if statistics is not None:
        np.testing.assert_allclose(np.stack([image.mean((1, 2)), image.std((1, 2))], 1), statistics, atol=0.02)


def check_meta(ours, recorded, sync_crop_size):
    assert tuple(ours['ori_shape']) == tuple(recorded['ori_shape'][:2])
    if not sync_crop_size:  # which of the two crops the recorded size belongs to is the originals' affair
        assert tuple(ours['img_shape']) == tuple(recorded['img_shape'][:2])
    np.testing.assert_allclose(ours['scale_factor'], recorded['scale_factor'][:2], rtol=1e-5)
    assert (ours['flip'], ours['flip_direction']) == (recorded['flip'], recorded['flip_direction'])
