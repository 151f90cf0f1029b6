"""The command that packs datasets: what it packs, what it prints, what it refuses."""

import json

import pytest
from mmengine.config import Config

from mmseg.registry import DATASETS
from tests.datasets.tiny_data import cityscapes_config, gta_config, write_cityscapes, write_gta
from tools.pack_dataset import main, singles


@pytest.fixture
def config(tmp_path):
    """A training on two sources and a target, and where it lies."""
    sources = [gta_config(write_gta(tmp_path / name, 3), name=name) for name in ('gta', 'gtb')]
    target = cityscapes_config(write_cityscapes(tmp_path / 'cs', 2))
    dataset = {'type': 'UDADataset', 'source': sources, 'target': target}
    cfg = Config({'train_dataloader': {'batch_size': 1, 'dataset': dataset}})
    cfg.dump(tmp_path / 'config.py')
    return cfg


def test_all_datasets_of_a_config(config, tmp_path, capsys):
    out = tmp_path / 'packed'
    assert main([str(tmp_path / 'config.py'), '--out', str(out)]) == 0
    printed = capsys.readouterr().out
    assert f'{out}/gtb: 3 images, about 0.00 GiB; ' in printed and 'of disk are free' in printed
    dataset = config.train_dataloader.dataset.to_dict()
    for key, name, single in (
        ('source.0', 'gta', dataset['source'][0]),
        ('source.1', 'gtb', dataset['source'][1]),
        ('target', 'cityscapes', dataset['target']),
    ):
        assert f'to train from it: --cfg-options train_dataloader.dataset.{key}.packed={out}/{name}\n' in printed
        single['packed'] = f'{out}/{name}'
    assert len(DATASETS.build(dataset)[0]['source']['image']) == 3
    # Again, from a config that reads the packs.
    Config({'train_dataloader': {'dataset': dataset}}).dump(tmp_path / 'packed.py')
    assert main([str(tmp_path / 'packed.py'), '--out', str(out)]) == 0
    assert f'{out}/gta: up to date, 3 images' in capsys.readouterr().out


def test_a_folder(tmp_path, capsys):
    root, out = write_gta(tmp_path / 'gta', 3), tmp_path / 'packed'
    assert main([root, '--dataset', 'GTADataset', '--scale', '60x40', '--out', str(out), '--name', 'small']) == 0
    dataset = DATASETS.build(gta_config(root, packed=str(out / 'small')))
    assert len(dataset) == 3 and dataset[0]['image'].shape == (3, 32, 32)
    assert main(['--verify', str(out / 'small')]) == 0
    assert capsys.readouterr().out.endswith('small: whole\n')
    path = out / 'small/data_000.bin'
    path.write_bytes(bytes(100) + path.read_bytes()[100:])
    assert main(['--verify', str(out / 'small')]) == 1
    assert 'the bytes of 00001.png are not those' in capsys.readouterr().err
    with pytest.raises(ValueError, match='is a folder: which dataset is it'):
        main([root, '--out', str(out)])


def test_broken_images_are_named_and_counted(config, tmp_path, capsys):
    (tmp_path / 'gta/images/00002.png').write_bytes(b'no image')
    assert main([str(tmp_path / 'config.py'), '--out', str(tmp_path / 'packed')]) == 1
    errors = capsys.readouterr().err
    assert '00002.png cannot be read: it is broken or not an image' in errors
    assert '1 of 3 images cannot be read. Repair them' in errors
    # The others are packed all the same.
    assert json.loads((tmp_path / 'packed/gtb/index.jsonl').read_text().split('\n')[0])['images'] == 3
    assert not (tmp_path / 'packed/gta/index.jsonl').exists()


def test_one_name_for_different_datasets(config, tmp_path):
    change = ['--cfg-options', 'train_dataloader.dataset.target.name=gta']
    with pytest.raises(ValueError, match='two different datasets are called gta .*source.0 and .*target'):
        main([str(tmp_path / 'config.py'), '--out', str(tmp_path / 'packed'), *change])


def test_wrappers_are_looked_into():
    inner = {'type': 'GTADataset'}
    found = dict(singles({'type': 'ClassBalancedDataset', 'dataset': {'datasets': [inner]}}, 'd'))
    assert found == {'d.dataset.datasets.0': inner}


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ([], 'give configs or dataset folders to pack'),
        (['config.py'], '--out FOLDER is needed'),
        (['data', '--out', 'x', '--scale', '12'], "'12' is no scale: WIDTHxHEIGHT"),
        (['data', '--out', 'x', '--nproc', '0'], 'must be positive'),
    ],
)
def test_wrong_arguments(arguments, message, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert message in capsys.readouterr().err
