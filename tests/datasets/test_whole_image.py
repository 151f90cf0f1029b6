"""Whole images and soft labels beside the crops."""

import numpy as np
import pytest
import torch

from mmseg.datasets import CityscapesDataset, collate_domains
from mmseg.models.data_preprocessor import SegDataPreProcessor
from mmseg.models.uda.components.rectification import replay, views_of
from tests.datasets.tiny_data import write_cityscapes

PIPELINE = [
    {'type': 'LoadImageFromFile'},
    {'type': 'LoadSoftLabels'},
    {'type': 'KeepWholeImage'},
    {'type': 'Resize', 'scale': (64, 32), 'ratio_range': (1.0, 2.0)},
    {'type': 'RandomCrop', 'crop_size': (24, 32)},
    {'type': 'RandomFlip', 'prob': 0.5},
    {'type': 'PackTrainInputs'},
]


def write_soft(root, soft=None, count=3):
    """Soft labels with the images' names; by default each says where it is: rising to the right and downwards."""
    if soft is None:
        soft = np.zeros((19, 8, 16), np.float16)
        soft[0] = np.linspace(0, 1, 16)
        soft[1] = np.linspace(0, 1, 8)[:, None]
    for i in range(count):
        path = root / f'soft/aachen/aachen_{i:06d}_000019_leftImg8bit.npy'
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, soft)


def dataset(root, **options):
    write_cityscapes(root)
    return CityscapesDataset(
        data_root=str(root),
        data_prefix={'img_path': 'leftImg8bit/train', 'seg_map_path': 'soft'},
        seg_map_suffix='_leftImg8bit.npy',
        **{'pipeline': PIPELINE, **options},
    )


def test_samples_hold_the_whole_and_its_soft_label(tmp_path):
    write_soft(tmp_path)
    samples = [dataset(tmp_path)[number] for number in range(4)]
    assert 'label' not in samples[0]
    assert samples[0]['whole'].shape == (3, 32, 64) and samples[0]['whole'].dtype == torch.uint8
    assert samples[0]['soft_label'].dtype == torch.float16
    batch = SegDataPreProcessor()(collate_domains(samples), training=True).source
    assert batch.labels is None
    assert batch.whole.shape == (4, 3, 32, 64) and batch.soft_labels.shape == (4, 19, 8, 16)
    assert batch.whole.dtype == batch.soft_labels.dtype == torch.float32


def test_replayed_maps_are_where_the_crops_are(tmp_path):
    """The picture is a ramp, the soft label another: crops of both rise to the same values."""
    write_soft(tmp_path)
    ramp = np.linspace(0, 255, 64)[None].repeat(32, 0).round().astype(np.uint8)
    data = dataset(tmp_path)
    steps = data.pipeline.transforms

    class Ramp:
        def __call__(self, results):
            image = np.stack([ramp] * 3, axis=-1)
            return {**results, 'img': image, 'ori_shape': (32, 64), 'img_shape': (32, 64)}

    steps[0] = Ramp()
    for number in range(6):
        sample = data[number]
        maps = sample['soft_label'][None].float()
        crop = replay(maps, views_of([sample['meta']]), stride=1, align_corners=True)[0, 0]
        np.testing.assert_allclose(crop, sample['image'][0] / 255, atol=0.03)


def test_missing_and_wrong_files(tmp_path):
    write_soft(tmp_path, count=2)
    with pytest.raises(
        FileNotFoundError, match='1 of 3 images have no label map.*make_pseudo_labels CONFIG CHECKPOINT'
    ):
        dataset(tmp_path)
    write_soft(tmp_path, np.zeros((5, 8, 16), np.float16))
    with pytest.raises(ValueError, match='hold float16 of 5 x 8 x 16, expected float16 of 19 x h x w'):
        dataset(tmp_path)[0]
    for path in (tmp_path / 'soft').rglob('*.npy'):
        path.write_bytes(b'no array')
    with pytest.raises(ValueError, match=r'soft labels .*\.npy cannot be read: no array of NumPy'):
        dataset(tmp_path)[0]
