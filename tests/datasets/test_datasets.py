import logging

import numpy as np
import pytest
from mmengine.logging import MMLogger

from mmseg.datasets import BaseSegDataset
from mmseg.datasets.randomness import Draws, sample_generator
from mmseg.registry import DATASETS
from tests.datasets.tiny_data import (
    cityscapes_config,
    gta_config,
    picture,
    save,
    train_ids,
    train_pipeline,
    write_cityscapes,
    write_gta,
)


@pytest.mark.parametrize('name', ['CityscapesDataset', 'GTADataset', 'SynthiaDataset'])
def test_class_list(name):
    metainfo = DATASETS.get(name).METAINFO
    assert len(metainfo['classes']) == len(metainfo['palette']) == 19
    assert (metainfo['classes'][0], metainfo['classes'][9], metainfo['classes'][18]) == ('road', 'terrain', 'bicycle')
    assert metainfo['palette'][18] == [119, 11, 32]


def test_files_are_sorted_and_matched(tmp_path):
    root = write_cityscapes(tmp_path)
    write_cityscapes(tmp_path / 'leftImg8bit/train/berlin/..', count=0)
    save(tmp_path / 'leftImg8bit/train/._aachen_leftImg8bit.png', picture(4, 4))  # what macOS leaves on foreign disks
    dataset = DATASETS.build(cityscapes_config(root, pipeline=train_pipeline()))
    assert dataset.img_names == [f'aachen/aachen_{i:06d}_000019_leftImg8bit.png' for i in range(3)]
    assert dataset.label_names[1] == 'aachen/aachen_000001_000019_gtFine_labelTrainIds.png'


def test_test_mode_gives_files_in_order_with_full_size_labels(tmp_path):
    pipeline = [
        {'type': 'LoadImageFromFile'},
        {'type': 'Resize', 'scale': (32, 16), 'keep_ratio': True},
        {'type': 'LoadAnnotations'},
        {'type': 'PackSegInputs'},
    ]
    root = write_cityscapes(tmp_path, split='val')
    dataset = DATASETS.build(cityscapes_config(root, 'val', pipeline=pipeline, test_mode=True))
    sample = dataset[1]
    assert sample['inputs'].shape == (3, 16, 32)
    np.testing.assert_array_equal(sample['data_samples'].gt_sem_seg.data[0].numpy(), train_ids(32, 64, seed=51))
    assert sample['data_samples'].img_path == dataset[-2]['data_samples'].img_path
    with pytest.raises(IndexError):
        dataset[3]


def test_training_shows_every_file_once_per_epoch(tmp_path):
    dataset = DATASETS.build(gta_config(write_gta(tmp_path, count=5)))
    epochs = [[dataset[n]['meta']['img_path'] for n in range(5 * e, 5 * e + 5)] for e in range(4)]
    assert all(len(set(epoch)) == 5 for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1
    dataset.set_seed(1)
    assert [dataset[n]['meta']['img_path'] for n in range(20)] != sum(epochs, [])


def test_sample_number_decides_everything(tmp_path):
    config = gta_config(write_gta(tmp_path, count=3))
    one, other = DATASETS.build(config), DATASETS.build(config)
    _ = [other[n] for n in (0, 9, 4)]
    for number in (7, 3):
        first, second = one[number], other[number]
        assert first['meta'] == second['meta']
        assert (first['image'] == second['image']).all() and (first['label'] == second['label']).all()


def test_other_class_sets(tmp_path):
    save(tmp_path / 'img/seq/0.jpg', picture(8, 8))
    save(tmp_path / 'img/seq/1.png', picture(8, 8))
    for i in range(2):
        save(tmp_path / f'lab/seq/{i}.png', train_ids(8, 8, num_classes=3))
    dataset = BaseSegDataset(
        data_root=str(tmp_path),
        data_prefix={'img_path': 'img', 'seg_map_path': 'lab'},
        pipeline=train_pipeline(crop=(8, 8), scale=(8, 8)),
        metainfo={'classes': ['a', 'b', 'c']},
    )
    assert len(dataset) == 2 and dataset.num_classes == 3
    assert len({tuple(colour) for colour in dataset.metainfo['palette']}) == 3
    assert dataset[0]['label'].shape == (8, 8)


def test_images_of_other_endings_are_not_left_out_in_silence(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr('mmseg.datasets.base_dataset.print_log', lambda text, **_: told.append(text))
    for name in ('0.jpg', '1.JPG', '2.tif', 'notes.txt'):
        save(tmp_path / 'img' / '0.jpg', picture(8, 8))
        (tmp_path / 'img' / name).write_bytes((tmp_path / 'img' / '0.jpg').read_bytes())
    options = {'data_root': str(tmp_path), 'data_prefix': {'img_path': 'img'}, 'metainfo': {'classes': ['a']}}
    assert BaseSegDataset(**options).img_names == ['0.jpg']
    assert len(told) == 1 and '2 files in' in told[0] and 'e.g. 1.JPG: img_suffix is .jpg, .png' in told[0]
    told.clear()
    assert len(BaseSegDataset(**options, img_suffix=('.jpg', '.JPG', '.tif'))) == 3 and not told


def test_file_list_and_indices(tmp_path):
    root = write_gta(tmp_path, count=5)
    (tmp_path / 'some.txt').write_text('00004\n00002\n')
    assert DATASETS.build(gta_config(root, ann_file='some.txt')).img_names == ['00004.png', '00002.png']
    assert DATASETS.build(gta_config(root, indices=2)).img_names == ['00001.png', '00002.png']
    assert DATASETS.build(gta_config(root, indices=[4, 0])).img_names == ['00005.png', '00001.png']
    (tmp_path / 'some.txt').write_text('00004\n00009\n')
    with pytest.raises(FileNotFoundError, match='e.g. 00009'):
        DATASETS.build(gta_config(root, ann_file='some.txt'))
    (tmp_path / 'some.txt').write_text('\ufeff00004\r\n00002\r\n')  # as Windows writes it
    assert DATASETS.build(gta_config(root, ann_file='some.txt')).img_names == ['00004.png', '00002.png']
    for content, words in (
        (b'00004.png\n', 'stand without their ending'),
        ('00004'.encode('utf-16'), 'is not UTF-8'),
        (b'', 'names no image'),
    ):
        (tmp_path / 'some.txt').write_bytes(content)
        with pytest.raises((FileNotFoundError, ValueError), match=words):
            DATASETS.build(gta_config(root, ann_file='some.txt'))


def one_line(error):
    text = str(error.value)
    assert '\n' not in text
    return text


def test_missing_folders_and_files(tmp_path):
    root = write_gta(tmp_path / 'gta')
    with pytest.raises(FileNotFoundError) as error:
        DATASETS.build(gta_config(str(tmp_path / 'nowhere')))
    assert 'nowhere/images does not exist' in one_line(error) and 'it is in' not in one_line(error)
    with pytest.raises(FileNotFoundError) as error:
        DATASETS.build(gta_config(str(tmp_path)))
    assert f'it is in {root}: move the contents of that folder up' in one_line(error)
    (tmp_path / 'empty/images').mkdir(parents=True)
    with pytest.raises(FileNotFoundError) as error:
        DATASETS.build(gta_config(str(tmp_path / 'empty')))
    assert 'no images (*.png or *.jpg)' in one_line(error)
    (tmp_path / 'empty/images/0.JPG').touch()
    with pytest.raises(FileNotFoundError, match='only other files such as 0.JPG: give img_suffix') as error:
        DATASETS.build(gta_config(str(tmp_path / 'empty')))
    (tmp_path / 'gta/labels/00003_labelTrainIds.png').unlink()
    with pytest.raises(FileNotFoundError) as error:
        DATASETS.build(gta_config(root))
    text = one_line(error)
    assert '1 of 4 images have no label map, e.g. 00003.png' in text
    assert f'python tools/convert_datasets/gta.py {root}' in text


def test_two_images_of_one_name(tmp_path):
    """Or an image and its label map in one folder: the later one would silently take the other's place."""
    root = write_gta(tmp_path)
    save(tmp_path / 'images/00002.jpg', picture(8, 8))
    with pytest.raises(ValueError, match='00002.jpg and 00002.png in .*images are images of one name') as error:
        DATASETS.build(gta_config(root))
    one_line(error)


def test_labels_are_not_needed_where_none_are_loaded(tmp_path):
    root = write_gta(tmp_path)
    for path in (tmp_path / 'labels').iterdir():
        path.unlink()
    dataset = DATASETS.build(gta_config(root, pipeline=train_pipeline(labels=False)))
    assert 'label' not in dataset[0]


def test_labels_without_image_are_reported(tmp_path, caplog):
    root = write_gta(tmp_path)
    (tmp_path / 'images/00002.png').unlink()
    logger = MMLogger.get_instance('test_labels_without_image')
    logger.addHandler(caplog.handler)
    with caplog.at_level(logging.WARNING):
        DATASETS.build(gta_config(root))
    assert '1 label maps' in caplog.text and '00002_labelTrainIds.png' in caplog.text


def test_classes_and_palette_are_checked(tmp_path):
    root = write_gta(tmp_path)
    with pytest.raises(ValueError, match='2 classes, but 1 colours'):
        DATASETS.build(gta_config(root, metainfo={'classes': ('a', 'b'), 'palette': [[0, 0, 0]]}))
    with pytest.raises(ValueError, match='needs its class names'):
        DATASETS.build(gta_config(root, type='BaseSegDataset'))


def test_streams_do_not_share_numbers():
    numbers = {float(sample_generator(0, n, part).random()) for n in range(20) for part in range(3)}
    assert len(numbers) == 60


def test_too_few_decisions():
    draws = Draws(np.random.default_rng(0), {'flip': [0.1]})
    assert draws('flip', lambda generator: 0.9) == 0.1
    with pytest.raises(IndexError, match='flip'):
        draws('flip', lambda generator: 0.9)
