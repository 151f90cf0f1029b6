import numpy as np
import pytest
import torch

from mmseg.models.data_preprocessor import SegDataPreProcessor

MEAN, STD = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])


def domain(batch=2, size=(4, 6), content=None, **extra):
    images = torch.randint(0, 256, (batch, 3, *size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    meta = [{'img_shape': content or size} for _ in range(batch)]
    return {'image': images, 'meta': meta, **extra}


def test_normalises_bgr_bytes_to_rgb():
    data = domain()
    images = SegDataPreProcessor().double()(data, training=True).source.images
    expected = (data['image'].numpy()[:, ::-1].transpose(0, 2, 3, 1) - MEAN) / STD
    np.testing.assert_allclose(images.numpy(), expected.transpose(0, 3, 1, 2), rtol=1e-6, atol=1e-7)
    assert images.dtype == torch.float64
    assert SegDataPreProcessor()(data, training=True).source.images.dtype == torch.float32
    kept = SegDataPreProcessor(mean=(0, 0, 0), std=(1, 1, 1), bgr_to_rgb=False)(data, training=True).source.images
    assert (kept == data['image']).all()


def test_domains_and_types():
    label = torch.full((2, 4, 6), 255, dtype=torch.uint8)
    data = {'source': domain(label=label), 'target': domain(valid=torch.ones(2, 4, 6, dtype=torch.uint8), depth=label)}
    batch = SegDataPreProcessor()(data, training=True)
    assert batch.source.labels.dtype == torch.int64 and batch.source.valid is None
    assert batch.target.valid.dtype == torch.bool and batch.target.labels is None
    assert batch.target.depth.dtype == torch.uint8
    assert batch.target.meta == data['target']['meta']
    assert SegDataPreProcessor()(domain(label=label), training=True).target is None


def test_padding_is_zero_after_normalisation():
    ones = torch.ones(2, 4, 6, dtype=torch.uint8)
    batch = SegDataPreProcessor()(domain(content=(3, 4), label=ones, valid=ones), training=True).source
    outside = torch.ones(4, 6, dtype=torch.bool)
    outside[:3, :4] = False
    assert (batch.images[..., outside] == 0).all() and (batch.images[..., ~outside] != 0).any()
    assert (batch.labels[:, outside] == 255).all() and (batch.labels[:, ~outside] == 1).all()
    assert not batch.valid[:, outside].any() and batch.valid[:, ~outside].all()


def test_given_bytes_stay():
    data = domain(content=(3, 4), label=torch.ones(2, 4, 6, dtype=torch.uint8))
    before = data['image'].clone()
    SegDataPreProcessor(bgr_to_rgb=False)(data, training=True)
    assert (data['image'] == before).all() and (data['label'] == 1).all()


def test_evaluation_batches():
    images = list(domain()['image'])
    plain = SegDataPreProcessor()({'inputs': images, 'data_samples': ['a', 'b']})
    assert plain['inputs'].shape == (2, 3, 4, 6) and plain['data_samples'] == ['a', 'b']
    assert (plain['inputs'] == SegDataPreProcessor()(domain(), training=True).source.images).all()
    small = [image[:, :2, :3] for image in images]
    scales = SegDataPreProcessor()({'inputs': [list(pair) for pair in zip(small, images, strict=True)]})
    assert [tuple(batch.shape) for batch in scales['inputs']] == [(2, 3, 2, 3), (2, 3, 4, 6)]
    with pytest.raises(ValueError, match='batch_size=1'):
        SegDataPreProcessor()({'inputs': [images[0], small[0]], 'data_samples': []})


def test_buffers_are_not_saved():
    assert not SegDataPreProcessor().state_dict()
    with pytest.raises(ValueError, match='std above 0'):
        SegDataPreProcessor(std=(1, 1, 0))
