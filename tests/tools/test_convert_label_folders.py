"""Statistics and lists of one label folder are not replaced by another's."""

import json

import numpy as np
import pytest

from mmseg.registry import DATASETS
from tests.datasets.tiny_data import cityscapes_config, picture, save
from tools.convert_datasets import cityscapes, gta, synthia


@pytest.fixture
def root(tmp_path):
    """Cityscapes with fine annotations of two images and coarse ones of three."""
    for kind, count in (('gtFine', 2), ('gtCoarse', 3)):
        for split in ('train', 'val'):
            for i in range(count):
                stem = f'{split}/aachen/aachen_{i:06d}_000019'
                save(tmp_path / f'leftImg8bit/{stem}_leftImg8bit.png', picture(8, 8))
                save(tmp_path / f'{kind}/{stem}_{kind}_labelIds.png', np.full((8, 8), 7, np.uint8))
    return tmp_path


def convert(tool, *arguments):
    return tool.convert([*map(str, arguments), '--nproc', '1'])


def contents(root):
    return {path.name: path.read_text() for path in [*root.glob('*.json'), *root.glob('*.txt')]}


def test_lists_of_either_kind_name_images(root):
    assert convert(cityscapes, root, '--gt-dir', 'gtCoarse') == 0
    names = [f'aachen/aachen_{i:06d}_000019' for i in range(3)]
    assert (root / 'train.txt').read_text().split() == (root / 'val.txt').read_text().split() == names
    assert len(DATASETS.build(cityscapes_config(str(root), ann_file='train.txt'))) == 3


@pytest.mark.parametrize(('first', 'second'), [('gtFine', 'gtCoarse'), ('gtCoarse', 'gtFine')])
def test_another_label_folder_does_not_overwrite(root, first, second):
    assert convert(cityscapes, root, '--gt-dir', first) == 0
    before = contents(root)
    assert len(before) == 5
    with pytest.raises(ValueError, match=f'other label maps .e.g. .*{first}.*another folder with --out-dir') as error:
        convert(cityscapes, root, '--gt-dir', second)
    assert '\n' not in str(error.value) and '--table-only' not in str(error.value)
    assert contents(root) == before
    assert not list((root / second).rglob('*_labelTrainIds.png')), 'before any work'

    assert convert(cityscapes, root, '--gt-dir', second, '-o', root / 'other') == 0
    assert contents(root) == before
    elsewhere = contents(root / 'other')
    assert elsewhere.keys() == before.keys()
    assert all(f'/{second}/train/' in entry['file'] for entry in json.loads(elsewhere['sample_class_stats.json']))
    with pytest.raises(ValueError, match='other label maps'):
        convert(cityscapes, root, '--gt-dir', first, '-o', root / 'other')
    assert convert(cityscapes, root, '--gt-dir', first) == 0, 'again'
    assert contents(root) == before


def test_lists_of_other_images_are_kept(root):
    (root / 'val.txt').write_text('bonn/bonn_000000_000019\n')
    with pytest.raises(ValueError, match=r'val.txt lists other images \(e.g. bonn/bonn_000000_000019\): delete it'):
        convert(cityscapes, root)
    assert not list(root.rglob('*_labelTrainIds.png')), 'before any work'
    (root / 'val.txt').write_text('aachen/aachen_000001_000019_gtCoarse\n')  # as once written
    assert convert(cityscapes, root) == 0
    assert (root / 'val.txt').read_text().endswith('aachen_000001_000019\n')


def test_gta_too(tmp_path):
    for folder in ('labels', 'repaired'):
        save(tmp_path / folder / '00001.png', np.full((4, 4), 7, np.uint8))
    assert convert(gta, tmp_path) == convert(gta, tmp_path) == 0
    with pytest.raises(ValueError, match='other label maps .e.g. .*labels/00001_labelTrainIds.png'):
        convert(gta, tmp_path, '--gt-dir', 'repaired')
    assert convert(gta, tmp_path, '--gt-dir', 'repaired', '-o', tmp_path / 'stats') == 0


def test_help_says_so(capsys):
    with pytest.raises(SystemExit):
        cityscapes.convert(['--help'])
    text = ' '.join(capsys.readouterr().out.split())
    assert 'folder for the statistics files and file lists' in text
    assert 'those of another label folder are not overwritten' in text


def test_an_archives_own_folder_is_found(tmp_path):
    (tmp_path / 'synthia/RAND_CITYSCAPES/GT/LABELS').mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match='it is in .*synthia/RAND_CITYSCAPES: move the contents'):
        synthia.convert([str(tmp_path / 'synthia')])
