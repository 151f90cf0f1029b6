import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmseg.datasets import MapillaryDataset, RareClassSampling, SynscapesDataset
from mmseg.datasets.image_io import read_image, read_label
from mmseg.datasets.mapillary_labels import cityscapes_class
from tests.datasets.tiny_data import picture, save
from tools.convert_datasets import mapillary2cityscape, mapillary_resize, synscapes

ROOT = Path(__file__).resolve().parents[2]
# Bicyclist is Cityscapes' rider, Lane Marking its road; Bird and Ego Vehicle are nothing there.
NAMES = ('Bird', 'Road', 'Bicyclist', 'Car', 'Lane Marking - General', 'Ego Vehicle')
IDS = np.kron(np.array([[0, 1, 2], [3, 4, 5]]), np.ones((4, 4), int)).astype(np.uint8)


def write_vistas(root, splits=('training', 'validation'), labels='labels', size=None):
    for split in splits:
        for number in range(2):
            image = save(
                root / split / 'images' / f'{split[0]}{number}.jpg', picture(*(size or IDS.shape), seed=number)
            )
            assert Path(image).is_file()
            indexed = Image.fromarray(np.roll(IDS, number, axis=1))
            indexed.putpalette([7] * 768)
            path = root / split / labels / f'{split[0]}{number}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            indexed.save(path)
    (root / 'config_v1.2.json').write_text(json.dumps({'labels': [{'readable': name} for name in NAMES]}))
    return root


def convert(root, *options, out='cityscape_trainIdLabel'):
    return mapillary2cityscape.convert([str(root), str(root / out), '--nproc', '1', *options])


def half(root, *options):
    folders = ('validation/images', 'cityscape_trainIdLabel/val/label', 'half/val_img', 'half/val_label')
    return mapillary_resize.main([*(str(root / folder) for folder in folders), '--nproc', '1', *options])


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('Traffic Light', 'traffic light'),
        ('Traffic Sign (Back)', 'traffic sign'),
        ('Traffic Sign Frame', 'traffic sign'),
        ('Utility Pole', 'pole'),
        ('On Rails', 'train'),
        ('Motorcyclist', 'rider'),
        ('Motorcycle', 'motorcycle'),
        ('Curb Cut', 'sidewalk'),
        ('Rail Track', None),
    ],
)
def test_rules(name, expected):
    assert cityscapes_class(name) == expected


def test_train_ids_and_statistics_of_the_training_split(tmp_path, capsys):
    root = write_vistas(tmp_path)
    assert convert(root, '--train_id', '--table') == 0
    printed = capsys.readouterr().out
    assert (
        '  2 Bicyclist                      rider' in printed
        and '  0 Bird                           ignored' in printed
    )
    for split, short in mapillary2cityscape.SPLITS.items():
        label = read_label(str(root / f'cityscape_trainIdLabel/{short}/label/{split[0]}0.png'))
        expected = np.array([255, 0, 12, 13, 0, 255])[IDS]
        np.testing.assert_array_equal(label, expected)
    stats = json.loads((root / 'sample_class_stats.json').read_text())
    assert [Path(entry.pop('file')).name for entry in stats] == ['t0.png', 't1.png']
    assert stats[0] == {'0': 32, '12': 16, '13': 16}
    dataset = MapillaryDataset(
        data_root=str(root),
        data_prefix={'img_path': 'training/images', 'seg_map_path': 'cityscape_trainIdLabel/train/label'},
    )
    assert RareClassSampling(dataset, min_pixels=8).classes == [12, 13, 0]


def test_label_ids_have_no_statistics(tmp_path, capsys):
    root = write_vistas(tmp_path, labels='v1.2/labels')
    assert convert(root) == 0
    label = read_label(str(root / 'cityscape_trainIdLabel/val/label/v0.png'))
    np.testing.assert_array_equal(label, np.array([255, 7, 25, 26, 7, 255])[IDS])
    assert not (root / 'sample_class_stats.json').exists()
    assert '4 label maps converted, 0 were there already' in capsys.readouterr().out
    assert convert(root) == 0
    assert '0 label maps converted, 4 were there already' in capsys.readouterr().out
    with pytest.raises(ValueError, match="holds label maps with Cityscapes' label ids, not train ids: name another"):
        convert(root, '--train_id')


def test_one_split_is_enough(tmp_path, capsys):
    root = write_vistas(tmp_path, splits=('validation',))
    assert convert(root, '--train_id') == 0
    assert 'training has no labels: left out' in capsys.readouterr().err


def test_bad_files_are_named_and_the_others_converted(tmp_path, capsys):
    root = write_vistas(tmp_path)
    (root / 'training/labels/t0.png').write_bytes(b'')
    Image.fromarray(np.full((4, 4), 40, np.uint8)).save(root / 'validation/labels/v1.png')
    assert convert(root, '--train_id') == 1
    said = capsys.readouterr().err
    assert 't0.png is' in said and 'v1.png holds unknown label ids 40' in said and '2 of 4 files are bad' in said
    assert (root / 'cityscape_trainIdLabel/train/label/t1.png').is_file()


@pytest.mark.parametrize(
    ('spoil', 'error', 'message'),
    [
        (
            lambda root: (root / 'config_v1.2.json').unlink(),
            FileNotFoundError,
            'config_v1.2.json does not exist, nor config.json; the former lies',
        ),
        (
            lambda root: (root / 'config_v1.2.json').rename(root / 'config.json'),
            ValueError,
            f'config.json has {len(NAMES)} classes, v1.2 has 66',
        ),
        (lambda root: (root / 'config_v1.2.json').write_text('{'), ValueError, "is not Mapillary's configuration"),
        (lambda root: (root / 'config_v1.2.json').write_text('{"labels": [1]}'), ValueError, 'is not Mapillary'),
        (lambda root: (root / 'training').rename(root / 'train'), FileNotFoundError, 'no label files in'),
    ],
)
def test_what_is_missing_is_said(tmp_path, spoil, error, message):
    root = write_vistas(tmp_path, splits=('training',))
    spoil(root)
    with pytest.raises(error, match=message):
        convert(root, '--train_id')


def test_the_archive_of_v12_calls_its_configuration_differently(tmp_path):
    root = write_vistas(tmp_path)
    assert convert(root, out='one') == 0
    (root / 'config_v1.2.json').unlink()
    more = [f'Class {number}' for number in range(len(NAMES), 66)]
    (root / 'config.json').write_text(json.dumps({'labels': [{'readable': name} for name in [*NAMES, *more]]}))
    assert convert(root, out='other') == 0
    for path in sorted((root / 'one').rglob('*.png')):
        assert path.read_bytes() == (root / 'other' / path.relative_to(root / 'one')).read_bytes()


def test_unknown_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match='folder .*nowhere does not exist'):
        convert(tmp_path / 'nowhere')


def test_half_size(tmp_path, capsys):
    root = write_vistas(tmp_path, size=IDS.shape)
    convert(root, '--train_id')
    assert half(root) == 0
    image = read_image(str(root / 'validation/images/v0.jpg'))[..., ::-1]
    label = read_label(str(root / 'cityscape_trainIdLabel/val/label/v0.png'))
    size = (IDS.shape[1] // 2, IDS.shape[0] // 2)
    expected = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
    with Image.open(root / 'half/val_img/v0.jpg') as coded:
        assert coded.format == 'JPEG' and np.abs(np.asarray(coded, int) - expected).mean() < 25
    nearest = np.asarray(Image.fromarray(label).resize(size, Image.Resampling.NEAREST))
    np.testing.assert_array_equal(read_label(str(root / 'half/val_label/v0.png')), nearest)
    capsys.readouterr()
    assert half(root) == 0
    assert '0 images and label maps halved, 2 were there already' in capsys.readouterr().out
    assert half(root, '--png') == 0
    np.testing.assert_array_equal(read_image(str(root / 'half/val_img/v0.png'))[..., ::-1], expected)


def test_half_size_names_what_it_leaves_out(tmp_path, capsys):
    root = write_vistas(tmp_path)
    convert(root, '--train_id')
    save(root / 'validation/images/other.jpg', picture(8, 12))
    save(root / 'validation/images/v1.jpg', picture(6, 12))
    assert half(root) == 1
    said = capsys.readouterr()
    assert '1 images and label maps halved' in said.out
    assert 'v1.png is 12x8 pixels, but its image' in said.err and 'image other.jpg has no label map' in said.err
    assert '2 of 3 images are left out' in said.err


def test_half_size_of_nothing(tmp_path):
    root = write_vistas(tmp_path)
    with pytest.raises(FileNotFoundError, match='folder .*val/label does not exist'):
        half(root)
    (root / 'cityscape_trainIdLabel/val/label').mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match='no images in .* with a label map in .*, e.g. for v0.jpg'):
        half(root)


def test_synscapes(tmp_path, capsys):
    ids = np.kron(np.array([[7, 8, 23], [26, 33, 0]]), np.ones((4, 4), int)).astype(np.uint8)
    for number in (1, 2):
        save(tmp_path / f'img/rgb/{number}.png', picture(8, 12, seed=number))
        save(tmp_path / f'img/class/{number}.png', ids)
    assert synscapes.convert([str(tmp_path), '--nproc', '1']) == 0
    names = {path.name for path in (tmp_path / 'img/class').iterdir()}
    assert names == {'1.png', '2.png', '1_gt_labelTrainIds.png', '2_gt_labelTrainIds.png'}
    label = read_label(str(tmp_path / 'img/class/1_gt_labelTrainIds.png'))
    np.testing.assert_array_equal(label[::4, ::4], [[0, 1, 10], [13, 18, 255]])
    assert synscapes.convert([str(tmp_path), '--nproc', '1', '--color']) == 0
    with Image.open(tmp_path / 'img/class/2_gt_color.png') as colours:
        assert colours.convert('RGB').getpixel((0, 0)) == (128, 64, 128)
    assert '2 pictures *_gt_color.png drawn, 0 were there already' in capsys.readouterr().out
    dataset = SynscapesDataset(
        data_root=str(tmp_path), data_prefix={'img_path': 'img/rgb', 'seg_map_path': 'img/class'}
    )
    assert (dataset.img_names, dataset.label_names[0]) == (['1.png', '2.png'], '1_gt_labelTrainIds.png')
    assert RareClassSampling(dataset, min_pixels=8).classes == [0, 1, 10, 13, 18]


def test_command_from_another_folder(tmp_path):
    script = ROOT / 'tools/convert_datasets/mapillary2cityscape.py'
    done = subprocess.run([sys.executable, script, 'nowhere', 'out'], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, 'error: folder nowhere does not exist\n')
