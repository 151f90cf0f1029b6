"""The command that writes the demo domains."""

import pytest

from mmseg.datasets import CityscapesDataset, GTADataset
from tools.convert_datasets import cityscapes, gta, synthia
from tools.make_demo_data import make_demo_data

COUNTS = ('--num-source', '3', '--num-target', '4', '--num-val', '2', '--size', '128x64')


def contents(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob('*')) if path.is_file()}


def test_same_files_for_any_number_of_processes(tmp_path):
    make_demo_data([str(tmp_path / 'one'), *COUNTS, '--nproc', '1'])
    make_demo_data([str(tmp_path / 'two'), *COUNTS, '--nproc', '2'])
    one = contents(tmp_path / 'one')
    assert len(one) == 3 * (3 + 3 + 4 + 2) + 1
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
