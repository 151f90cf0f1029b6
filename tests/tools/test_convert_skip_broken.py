"""Datasets with broken and missing label files: from the converter to rare class sampling."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmseg.datasets.rare_class_sampling import RareClassSampling
from mmseg.registry import DATASETS
from tests.datasets.tiny_data import cityscapes_config, picture, save, train_pipeline
from tools.convert_datasets import cityscapes, gta, synscapes, synthia

# Ids of road and car.
SYNTHIA, CITYSCAPES = (3, 8), (7, 26)
LAYOUTS = {
    gta: ('GTADataset', 'images', 'labels', '{:05d}', CITYSCAPES),
    synthia: ('SynthiaDataset', 'RGB', 'GT/LABELS', '{:07d}', SYNTHIA),
    synscapes: ('SynscapesDataset', 'img/rgb', 'img/class', '{}', CITYSCAPES),
}
COUNT = 5


def write_dataset(tool, root):
    """Images 1 to 5, half road, half car; the label file of 2 is cut, that of 4 is not there."""
    _, images, labels, pattern, (road, car) = LAYOUTS[tool]
    for i in range(1, COUNT + 1):
        name = pattern.format(i)
        save(root / images / f'{name}.png', picture(40, 60, i))
        label = np.full((40, 60), road, np.uint16)
        label[:, 30:] = car
        path = root / labels / f'{name}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        if tool is synthia:
            assert cv2.imwrite(str(path), np.dstack([0 * label, 0 * label + 999, label]))
        else:
            save(path, label.astype(np.uint8))
    cut, gone = (root / labels / f'{pattern.format(i)}.png' for i in (2, 4))
    cut.write_bytes(cut.read_bytes()[:60])
    gone.unlink()


def config(tool, root, **options):
    kind, images, labels, *_ = LAYOUTS[tool]
    prefix = {'img_path': images, 'seg_map_path': labels}
    return {'type': kind, 'data_root': str(root), 'data_prefix': prefix, 'pipeline': train_pipeline(), **options}


def convert(tool, *arguments):
    return tool.convert([*map(str, arguments), '--nproc', '1'])


def counted(folder):
    stats = json.loads((folder / 'sample_class_stats.json').read_text())
    return [Path(entry['file']).name.split('_')[0] for entry in stats]


@pytest.mark.parametrize('tool', LAYOUTS, ids=lambda tool: tool.__name__.rpartition('.')[2])
def test_from_the_converter_to_rare_class_sampling(tool, tmp_path, capsys):
    write_dataset(tool, tmp_path)
    names = [LAYOUTS[tool][3].format(i) for i in range(1, COUNT + 1)]
    assert convert(tool, tmp_path) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert '1 of 4 files are bad' in last and last.endswith('--skip-broken')
    assert not list(tmp_path.glob('*.json')) and not list(tmp_path.glob('*.txt'))

    assert convert(tool, tmp_path, '--skip-broken') == 0
    out, err = capsys.readouterr()
    images, labels = (tmp_path / folder for folder in LAYOUTS[tool][1:3])
    assert f'{labels}/{names[1]}.png cannot be read' in err
    assert f'1 of 5 images in {images} have no label file in {labels}: {names[3]}.png' in err
    assert '3 were there already, 1 bad ones left out; statistics of 3' in out
    last = out.splitlines()[-1]
    assert last.startswith('2 of 5 images were left out; to train without them: ')
    assert f"ann_file='usable_images.txt' in the dataset of {images} " in last
    assert counted(tmp_path) == [names[0], names[2], names[4]]

    with pytest.raises(FileNotFoundError, match='2 of 5 images have no label map'):
        DATASETS.build(config(tool, tmp_path))
    dataset = DATASETS.build(config(tool, tmp_path, ann_file='usable_images.txt'))
    assert dataset.img_names == [f'{names[i]}.png' for i in (0, 2, 4)]
    sampling = RareClassSampling(dataset, min_pixels=100)
    assert {class_id: list(files) for class_id, files in sampling.candidates.items()} == {0: [0, 1, 2], 13: [0, 1, 2]}
    assert all((dataset[n]['label'] != 255).any() for n in range(3))


def test_remains_of_a_broken_file_do_not_count(tmp_path):
    write_dataset(gta, tmp_path)
    (tmp_path / 'labels/00002_labelTrainIds.png').write_bytes(b'half a file')
    assert convert(gta, tmp_path, '--skip-broken') == 0
    assert (tmp_path / 'usable_images.txt').read_text().split() == ['00001', '00003', '00005']


def test_missing_label_files_are_named_without_the_option(tmp_path, capsys):
    write_dataset(gta, tmp_path)
    (tmp_path / 'labels/00002.png').unlink()
    assert convert(gta, tmp_path) == 0
    err = capsys.readouterr().err
    assert '2 of 5 images' in err and '00002.png, 00004.png; to do without them: --skip-broken' in err
    assert counted(tmp_path) == ['00001', '00003', '00005'] and not (tmp_path / 'usable_images.txt').exists()


def test_lists_elsewhere_and_after_a_repair(tmp_path, capsys):
    write_dataset(gta, tmp_path / 'gta')
    assert convert(gta, tmp_path / 'gta', '--skip-broken', '-o', tmp_path / 'stats') == 0
    assert "ann_file='../stats/usable_images.txt'" in capsys.readouterr().out
    assert len(DATASETS.build(config(gta, tmp_path / 'gta', ann_file='../stats/usable_images.txt'))) == 3
    for name in ('00002.png', '00004.png'):
        save(tmp_path / 'gta/labels' / name, np.full((40, 60), 7, np.uint8))
    assert convert(gta, tmp_path / 'gta', '--skip-broken', '-o', tmp_path / 'stats') == 0
    assert 'no image was left out' in capsys.readouterr().out.splitlines()[-1]
    assert len((tmp_path / 'stats/usable_images.txt').read_text().split()) == COUNT
    assert convert(gta, tmp_path / 'gta', '--skip-broken') == 0
    assert 'all 5 images can be used: no list' in capsys.readouterr().out.splitlines()[-1]
    assert not (tmp_path / 'gta/usable_images.txt').exists()


def test_without_images(tmp_path):
    label = save(tmp_path / 'labels/00001.png', np.full((4, 4), 7, np.uint8))
    with pytest.raises(FileNotFoundError, match=f'image folder {tmp_path}/images does not exist'):
        convert(gta, tmp_path, '--skip-broken')
    assert not list(tmp_path.rglob('*_labelTrainIds.png')), 'before any work'
    assert convert(gta, tmp_path) == 0, 'they may come later'
    Path(label).write_bytes(b'')
    (tmp_path / 'labels/00001_labelTrainIds.png').unlink()
    save(tmp_path / 'images/00001.png', picture(4, 4))
    with pytest.raises(ValueError, match='nothing is left without the bad files'):
        convert(gta, tmp_path, '--skip-broken')


def test_no_image_has_a_label_map(tmp_path):
    save(tmp_path / 'labels/00001.png', np.full((4, 4), 7, np.uint8))
    save(tmp_path / 'images/left_00001.png', picture(4, 4))
    with pytest.raises(ValueError, match='no image has a label map'):
        convert(gta, tmp_path, '--skip-broken')
    assert not (tmp_path / 'sample_class_stats.json').exists()


def test_pictures_of_the_others(tmp_path, capsys):
    write_dataset(synscapes, tmp_path)
    assert convert(synscapes, tmp_path, '--color') == 1
    assert not list(tmp_path.rglob('*_gt_color.png'))
    assert convert(synscapes, tmp_path, '--color', '--skip-broken') == 0
    assert sorted(path.name[0] for path in tmp_path.rglob('*_gt_color.png')) == ['1', '3', '5']
    assert 'ann_file=' in capsys.readouterr().out.splitlines()[-1]


def test_cityscapes_lists_name_the_usable(tmp_path, capsys):
    for split in ('train', 'val'):
        for i in range(4):
            stem = f'{split}/aachen/aachen_{i:06d}_000019'
            save(tmp_path / f'leftImg8bit/{stem}_leftImg8bit.png', picture(32, 64, i))
            if i < 3:
                save(tmp_path / f'gtFine/{stem}_gtFine_labelIds.png', np.full((32, 64), 7, np.uint8))
    (tmp_path / 'gtFine/train/aachen/aachen_000001_000019_gtFine_labelIds.png').write_bytes(b'')
    assert convert(cityscapes, tmp_path) == 1
    assert '--skip-broken' in capsys.readouterr().err.splitlines()[-1]
    assert convert(cityscapes, tmp_path, '--skip-broken') == 0
    last = capsys.readouterr().out.splitlines()[-1]
    for split in ('train', 'val'):
        assert f"ann_file='{split}.txt' in the dataset of {tmp_path}/leftImg8bit/{split}" in last
    assert (tmp_path / 'val.txt').read_text().count('\n') == 3
    options = {'pipeline': train_pipeline(scale=(64, 32)), 'ann_file': 'train.txt'}
    dataset = DATASETS.build(cityscapes_config(str(tmp_path), **options))
    assert [name.split('_')[1] for name in dataset.img_names] == ['000000', '000002']
    assert list(RareClassSampling(dataset, min_pixels=100).candidates[0]) == [0, 1]
