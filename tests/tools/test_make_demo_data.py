"""The command that writes the demo domains."""

import numpy as np
import pytest
from PIL import Image

from mmseg.datasets import CityscapesDataset, GTADataset, MapillaryDataset
from mmseg.datasets.demo_scenes import render_scene
from mmseg.datasets.demo_scenes.labels import TO_TRAIN_ID
from mmseg.datasets.image_io import read_label
from mmseg.datasets.mapillary_labels import read_class_names
from tools.convert_datasets import cityscapes, gta, mapillary2cityscape, synthia
from tools.make_demo_data import make_demo_data

COUNTS = ('--num-source', '3', '--num-target', '4', '--num-val', '2', '--size', '128x64')


def contents(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob('*')) if path.is_file()}


def test_same_files_for_any_number_of_processes(tmp_path):
    make_demo_data([str(tmp_path / 'one'), *COUNTS, '--nproc', '1'])
    make_demo_data([str(tmp_path / 'two'), *COUNTS, '--nproc', '2'])
    one = contents(tmp_path / 'one')
    assert len(one) == 3 * (3 + 3 + 4 + 2 + 4 + 2) + 2
    assert one == contents(tmp_path / 'two')


def test_resumes_and_grows(tmp_path, capsys):
    arguments = [str(tmp_path), *COUNTS, '--nproc', '1', '--domains', 'gta']
    make_demo_data(arguments)
    whole = contents(tmp_path)
    (tmp_path / 'gta/labels/00002.png').unlink()
    make_demo_data(arguments)
    assert '1 scenes drawn' in capsys.readouterr().err
    assert contents(tmp_path) == whole
    make_demo_data([*arguments, '--num-source', '4'])
    grown = contents(tmp_path)
    assert {name: grown[name] for name in whole} == whole and len(grown) == len(whole) + 3


def test_other_settings_are_not_mixed_in(tmp_path):
    make_demo_data([str(tmp_path), *COUNTS, '--nproc', '1', '--domains', 'gta'])
    with pytest.raises(ValueError, match="other settings.*'seed': 0.*'seed': 1"):
        make_demo_data([str(tmp_path), *COUNTS, '--nproc', '1', '--domains', 'gta', '--seed', '1'])


@pytest.mark.parametrize(
    ('option', 'value', 'message'),
    [('--size', '512', 'WIDTHxHEIGHT'), ('--domains', 'acdc', "unknown domain 'acdc'"), ('--num-val', '-1', 'number')],
)
def test_wrong_options(option, value, message, tmp_path, capsys):
    with pytest.raises(SystemExit):
        make_demo_data([str(tmp_path), f'{option}={value}'])
    assert message in capsys.readouterr().err


def test_converters_and_datasets_run_on_it(tmp_path):
    make_demo_data([str(tmp_path), *COUNTS, '--nproc', '1'])
    assert gta.convert([str(tmp_path / 'gta')]) == 0
    assert synthia.convert([str(tmp_path / 'synthia')]) == 0
    assert cityscapes.convert([str(tmp_path / 'cityscapes')]) == 0
    source = GTADataset(
        data_root=str(tmp_path / 'gta'), data_prefix={'img_path': 'images', 'seg_map_path': 'labels'}, pipeline=[]
    )
    prefix = {'img_path': 'leftImg8bit/val', 'seg_map_path': 'gtFine/val'}
    target = CityscapesDataset(data_root=str(tmp_path / 'cityscapes'), data_prefix=prefix, pipeline=[])
    assert (len(source), len(target)) == (3, 2)


def test_mapillary_is_read_as_the_real_one(tmp_path):
    make_demo_data([str(tmp_path), *COUNTS, '--nproc', '1', '--domains', 'mapillary'])
    root = tmp_path / 'mapillary'
    names = read_class_names(root / 'config_v1.2.json')
    assert (len(names), names[13], names[52], names[65]) == (66, 'Road', 'Bicycle', 'Unlabeled')
    folder = root / 'cityscape_trainIdLabel'
    assert mapillary2cityscape.convert([str(root), str(folder), '--train_id', '--nproc', '1']) == 0
    prefix = {'img_path': 'training/images', 'seg_map_path': 'cityscape_trainIdLabel/train/label'}
    dataset = MapillaryDataset(data_root=str(root), data_prefix=prefix, pipeline=[{'type': 'LoadAnnotations'}])
    assert len(dataset) == 4
    with Image.open(root / 'training/images' / dataset.img_names[0]) as image:
        assert (image.format, image.size) == ('JPEG', (96, 72))
    # What was drawn comes back, but for what Cityscapes has no class for.
    scene = render_scene('mapillary', 0, (96, 72))
    label = read_label(str(folder / 'train/label' / dataset.label_names[0]))
    np.testing.assert_array_equal(label, TO_TRAIN_ID[scene.label])
