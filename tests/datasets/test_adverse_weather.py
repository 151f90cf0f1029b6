"""ACDC, Dark Zurich and BDD100K in their published layouts."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from mmseg.datasets import ACDCDataset, BDD100KDataset, DarkZurichDataset, acdc
from tests.datasets.tiny_data import picture, save

LOAD = [{'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations'}]


def write(root, folder, name, labels='gt'):
    save(root / 'rgb_anon' / folder / f'{name}_rgb_anon.png', picture(4, 6))
    save(root / 'rgb_anon' / folder / f'{name}_rgb_ref_anon.png', picture(4, 6))
    if labels:
        save(root / labels / folder / f'{name}_gt_labelTrainIds.png', np.full((4, 6), 3, np.uint8))


@pytest.fixture
def published(tmp_path):
    for number, condition in enumerate(('fog', 'night', 'rain', 'snow')):
        for split in ('train', 'val'):
            write(tmp_path, f'{condition}/{split}/GOPR0{number}', f'GOPR0{number}_frame_00000{number}')
    write(tmp_path, 'fog/test/GOPR09', 'GOPR09_frame_000009', labels=None)
    return str(tmp_path)


def test_acdc_by_split_and_condition(published):
    assert len(ACDCDataset(published, split='train', pipeline=LOAD)) == 4
    night = ACDCDataset(published, split='val', conditions=('night', 'snow'), pipeline=LOAD, test_mode=True)
    assert [name.split('/')[:2] for name in night.img_names] == [['night', 'val'], ['snow', 'val']]
    assert night[0]['gt_seg_map'].max() == 3
    assert len(ACDCDataset(published, split='test')) == 1


def test_acdc_in_the_flat_layout(tmp_path):
    write(tmp_path, 'train/GOPR01', 'GOPR01_frame_000001')
    assert len(ACDCDataset(str(tmp_path), split='train', pipeline=LOAD)) == 1
    prefix = {'img_path': 'rgb_anon/train', 'seg_map_path': 'gt/train'}
    assert len(ACDCDataset(str(tmp_path), data_prefix=prefix, pipeline=LOAD)) == 1
    with pytest.raises(FileNotFoundError, match='conditions cannot be told apart'):
        ACDCDataset(str(tmp_path), split='train', conditions='fog')


def test_acdc_with_copies_without_conditions(published, monkeypatch):
    said = []
    monkeypatch.setattr(acdc, 'print_log', lambda text, *_: said.append(text))
    plain = ACDCDataset(published, split='val', pipeline=LOAD)
    for folder, suffix in (('rgb_anon', '_rgb_anon.png'), ('gt', '_gt_labelTrainIds.png')):
        for condition in acdc.CONDITIONS:
            shutil.copytree(f'{published}/{folder}/{condition}/val', f'{published}/{folder}/val', dirs_exist_ok=True)
        assert len(list(Path(published, folder).rglob(f'val/*/*{suffix}'))) == 8
    both = ACDCDataset(published, split='val', pipeline=LOAD)
    assert both.img_names == plain.img_names and both.label_names == plain.label_names
    assert both.unmatched_files() == ([], set())
    assert len(said) == 1 and '4 images are below their condition too' in said[0]
    prefix = {'img_path': 'rgb_anon/val', 'seg_map_path': 'gt/val'}
    assert len(ACDCDataset(published, data_prefix=prefix, pipeline=LOAD)) == 4 and len(said) == 1


def test_acdc_messages(published):
    with pytest.raises(ValueError, match="no condition 'dusk'; there are fog"):
        ACDCDataset(published, conditions='dusk')
    with pytest.raises(FileNotFoundError, match=r'no images in .*rgb_anon/<condition>/trian'):
        ACDCDataset(published, split='trian')


def test_dark_zurich(tmp_path):
    write(tmp_path, 'train/night/GOPR0351', 'GOPR0351_frame_000001', labels=None)
    write(tmp_path, 'val/night/GOPR0356', 'GOPR0356_frame_000324')
    assert len(DarkZurichDataset(str(tmp_path), data_prefix={'img_path': 'rgb_anon/train/night'})) == 1
    prefix = {'img_path': 'rgb_anon/val', 'seg_map_path': 'gt/val'}
    val = DarkZurichDataset(str(tmp_path), data_prefix=prefix, pipeline=LOAD, test_mode=True)
    assert val.label_names == ['night/GOPR0356/GOPR0356_frame_000324_gt_labelTrainIds.png']
    assert val[0]['gt_seg_map'].min() == 3


@pytest.mark.parametrize(
    ('images', 'labels', 'suffix'),
    [('images/10k/val', 'labels/sem_seg/masks/val', '.png'), ('seg/images/val', 'seg/labels/val', '_train_id.png')],
)
def test_bdd100k(tmp_path, images, labels, suffix):
    save(tmp_path / images / '7d06fefd-f7be05a6.jpg', picture(4, 6))
    save(tmp_path / labels / f'7d06fefd-f7be05a6{suffix}', np.zeros((4, 6), np.uint8))
    prefix = {'img_path': images, 'seg_map_path': labels}
    dataset = BDD100KDataset(str(tmp_path), data_prefix=prefix, seg_map_suffix=suffix, pipeline=LOAD)
    assert len(dataset) == 1 and len(dataset.metainfo['classes']) == 19


def test_bdd100k_without_the_images_that_do_not_go_with_their_labels(tmp_path):
    prefix = {'img_path': 'images/10k/val', 'seg_map_path': 'labels/sem_seg/masks/val'}
    for name in ('7d06fefd-f7be05a6', '80a9e37d-e4548ac1', '9342e334-33d167eb'):
        save(tmp_path / prefix['img_path'] / f'{name}.jpg', picture(4, 6))
    save(tmp_path / prefix['seg_map_path'] / '7d06fefd-f7be05a6.png', np.zeros((4, 6), np.uint8))
    save(tmp_path / prefix['seg_map_path'] / '9342e334-33d167eb.png', np.zeros((6, 4), np.uint8))
    dataset = BDD100KDataset(str(tmp_path), data_prefix=prefix, pipeline=LOAD)
    assert dataset.img_names == ['7d06fefd-f7be05a6.jpg'] and dataset.unmatched_files() == ([], set())
    with pytest.raises(FileNotFoundError, match='1 of 3 images have no label map'):
        BDD100KDataset(str(tmp_path), data_prefix=prefix, pipeline=LOAD, left_out=())
