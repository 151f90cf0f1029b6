import numpy as np
import pytest
import torch
from mmengine.dataset import worker_init_fn
from torch.utils.data import DataLoader

from mmseg.datasets import SampleNumberSampler, UDADataset, collate_domains, domain_pair
from mmseg.datasets.domain_pair import crop_sample
from mmseg.registry import DATASETS
from tests.datasets.tiny_data import cityscapes_config, gta_config, train_pipeline, write_cityscapes, write_gta


@pytest.fixture
def roots(tmp_path):
    return write_gta(tmp_path / 'gta', count=5), write_cityscapes(tmp_path / 'cityscapes', count=4)


def build(roots, **kwargs):
    return UDADataset(gta_config(roots[0]), cityscapes_config(roots[1]), **kwargs)


FULL = {'rare_class_sampling': {'min_pixels': 60, 'min_crop_ratio': 0.5}, 'pseudo_margins': [30, 240, 30, 30]}


def equal(one, other):
    if isinstance(one, torch.Tensor):
        return one.shape == other.shape and bool((one == other).all())
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    return one == other


def test_sample(roots):
    pairs = build(roots, **FULL)
    sample = pairs[10**9]
    assert set(sample) == {'source', 'target'}
    assert set(sample['source']) == {'image', 'label', 'meta'} and set(sample['target']) == {'image', 'valid', 'meta'}
    assert all(sample[name]['image'].shape == (3, 32, 32) for name in sample)
    assert len(pairs) == 20 and pairs.metainfo['classes'][10] == 'sky'


@pytest.mark.parametrize(('ratio', 'lines'), [(0.75, 1), (1.0, 0)])
def test_target_crops_by_labels_are_said_to_be_no_adaptation(roots, monkeypatch, ratio, lines):
    said = []
    monkeypatch.setattr(domain_pair, 'print_log', lambda text, *_: said.append(text))
    target = cityscapes_config(roots[1])
    crop = next(step for step in target['pipeline'] if step['type'] == 'RandomCrop')
    crop['cat_max_ratio'] = ratio
    UDADataset(gta_config(roots[0]), target)
    assert len(said) == lines and all('cityscapes: RandomCrop with cat_max_ratio below 1' in line for line in said)


def test_all_pairs_occur(roots):
    pairs = build(roots)
    seen = [(s['source']['meta']['img_path'], s['target']['meta']['img_path']) for s in map(pairs.pair, range(200))]
    assert len(set(seen)) == 20


def test_seed_and_number_decide_everything(roots):
    one, other = build(roots, **FULL), build(roots, **FULL)
    other.pair(3)
    assert equal(one[12], other[12])
    other.set_seed(1)
    assert not equal(one[12], other[12])
    assert not equal(one[12], one[13])


def test_target_does_not_depend_on_how_the_source_is_drawn(roots):
    plain, rare = build(roots), build(roots, rare_class_sampling=FULL['rare_class_sampling'])
    assert all(equal(plain[n]['target'], rare[n]['target']) for n in range(5))


def loaded(pairs, workers, count=6, start=0):
    loader = DataLoader(
        pairs,
        batch_size=2,
        num_workers=workers,
        sampler=SampleNumberSampler(pairs, seed=3, start=start),
        collate_fn=collate_domains,
        worker_init_fn=lambda i: worker_init_fn(i, workers, 0, 99),
    )
    batches = iter(loader)
    return [next(batches) for _ in range(count)]


@pytest.mark.filterwarnings('ignore:This DataLoader will create')
def test_same_batches_for_any_number_of_workers_and_after_a_restart(roots):
    pairs = build(roots, **FULL)
    alone = loaded(pairs, 0)
    assert alone[0]['source']['image'].shape == (2, 3, 32, 32) and len(alone[0]['target']['meta']) == 2
    for workers in (1, 3):
        assert all(equal(one, other) for one, other in zip(alone, loaded(pairs, workers), strict=True))
    continued = loaded(pairs, 1, count=4, start=2 * 2)
    assert all(equal(one, other) for one, other in zip(alone[2:], continued, strict=True))


def test_synchronised_crop(roots):
    pairs = build(roots, sync_crop_size=(16, 20), **FULL)
    apart = build(roots, **FULL)
    for number in range(6):
        both, whole = pairs[number], apart[number]
        places = []
        for name in ('source', 'target'):
            assert both[name]['image'].shape == (3, 16, 20)
            windows = whole[name]['image'].unfold(1, 16, 1).unfold(2, 20, 1).permute(1, 2, 0, 3, 4)
            places.append((windows == both[name]['image']).flatten(2).all(2).nonzero().tolist())
        assert any(place in places[1] for place in places[0])
        y, x = places[0][0]
        assert equal(both['source']['label'], whole['source']['label'][y : y + 16, x : x + 20])


def test_content_of_a_padded_image_after_the_synchronised_crop(roots):
    pairs = UDADataset(
        gta_config(roots[0], pipeline=train_pipeline(crop=(48, 48))),
        cityscapes_config(roots[1], pipeline=train_pipeline(crop=(48, 48), scale=(64, 32), labels=False)),
        sync_crop_size=(20, 20),
    )
    sample = pairs.pair(0, {'pair': {'sync_box': [(25, 45, 10, 30)]}})
    assert sample['target']['meta']['img_shape'] == (7, 20)  # 32 rows of content, cut from row 25
    assert sample['source']['meta']['img_shape'] == (15, 20)


def test_synchronised_crop_needs_equal_sizes(roots):
    target = cityscapes_config(roots[1], pipeline=train_pipeline(crop=(16, 32), scale=(64, 32), labels=False))
    with pytest.raises(ValueError, match='crops of one size'):
        UDADataset(gta_config(roots[0]), target, sync_crop_size=(8, 8))[0]


def test_margins_follow_crop_and_flip(roots):
    pairs = build(roots, pseudo_margins=[256, 512, 128, 0])  # canvas 1024x2048, image 32x64
    canvas = np.zeros((32, 64), np.uint8)
    canvas[8:16, 4:] = 1
    given = {'target': {'crop_box': [(0, 32, 1, 33)], 'flip': [0.1]}}
    np.testing.assert_array_equal(pairs.pair(0, given)['target']['valid'].numpy(), canvas[:, 1:33][:, ::-1])


def test_margins_leave_the_given_dataset_alone(roots):
    target = DATASETS.build(cityscapes_config(roots[1]))
    UDADataset(gta_config(roots[0]), target, pseudo_margins=[1, 1, 1, 1])
    assert 'valid' not in target[0]


def test_margins_after_a_crop_are_refused(roots):
    pipeline = train_pipeline(labels=False)
    pipeline.insert(1, pipeline.pop(2))
    with pytest.raises(ValueError, match='before RandomCrop'):
        UDADataset(gta_config(roots[0]), cityscapes_config(roots[1], pipeline=pipeline), pseudo_margins=[1, 1, 1, 1])


def test_different_classes_are_refused(roots):
    target = cityscapes_config(roots[1], metainfo={'classes': ('a', 'b'), 'palette': [[0, 0, 0], [9, 9, 9]]})
    with pytest.raises(ValueError, match='different classes: 19 in GTADataset, 2 in CityscapesDataset'):
        UDADataset(gta_config(roots[0]), target)


def test_collate_refuses_different_sizes(roots):
    pairs = UDADataset(
        gta_config(roots[0], pipeline=train_pipeline(crop=(32, 32))),
        cityscapes_config(roots[1], pipeline=train_pipeline(crop=(16, 16), scale=(64, 32), labels=False)),
    )
    first, second = pairs[0], pairs[1]
    second['target']['image'] = second['target']['image'][:, :8]
    with pytest.raises(ValueError, match='RandomCrop and Pad'):
        collate_domains([first, second])
    del first['source']['label']
    with pytest.raises(ValueError, match='different keys'):
        collate_domains([first, second])


@pytest.mark.parametrize('step', ['KeepWholeImage', 'LoadSoftLabels'])
def test_synchronised_crop_excludes_whole_images(roots, step):
    pipeline = train_pipeline(labels=False)
    pipeline.insert(1, {'type': step})
    target = cityscapes_config(roots[1], pipeline=pipeline)
    with pytest.raises(ValueError, match=f'sync_crop_size and {step} in the pipeline of cityscapes exclude each other'):
        UDADataset(gta_config(roots[0]), target, sync_crop_size=(8, 8))
    UDADataset(gta_config(roots[0]), target)


def test_only_maps_of_the_images_size_are_cropped():
    sample = {'image': torch.rand(3, 8, 10), 'label': torch.rand(8, 10), 'meta': {'img_shape': (8, 10)}}
    others = {'whole': torch.rand(3, 8, 10), 'soft_label': torch.rand(5, 2, 3), 'weight': torch.rand(4)}
    cropped = crop_sample({**sample, **others}, (2, 6, 1, 10))
    assert all(equal(cropped[name], others[name]) for name in others)
    assert equal(cropped['image'], sample['image'][:, 2:6, 1:10]) and cropped['label'].shape == (4, 9)
    assert cropped['meta'] == {'img_shape': (4, 9), 'sync_box': (2, 6, 1, 10)}
