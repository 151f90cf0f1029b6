"""run_seg.py: the bank of source crops on two domains of tiny pictures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import run_seg
from mmseg.datasets.image_io import read_depth, read_label
from mmseg.engine.config import load_config
from mmseg.engine.depth_bank_build import crops_to_count
from mmseg.engine.depth_bank_source import source_pairs
from mmseg.models.uda.components.depth_bank import DepthBank, bank_paths

ROOT = Path(__file__).parents[1]
CONFIG = """
model = dict(data_preprocessor=dict(mean=[123.675, 116.28, 103.53]))
train_dataloader = dict(dataset=dict(
    type='UDADataset',
    source=dict(
        type='GTADataset', data_root='{root}/gta',
        data_prefix=dict(img_path='images', seg_map_path='labels', depth_path='depth_any'),
        pipeline=[
            dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
            dict(type='Resize', scale=(48, 24)),
            dict(type='RandomCrop', crop_size=(24, 24)), dict(type='RandomFlip', prob=0.5),
            dict(type='Pad', size=(28, 24)), dict(type='PackTrainInputs'),
        ],
    ),
    target=dict(
        type='CityscapesDataset', data_root='{root}/cs', data_prefix=dict(img_path='leftImg8bit/train'),
        # Its maps are not made yet: the bank does not need them.
        pipeline=[dict(type='LoadImageFromFile'), dict(type='LoadDepth'), dict(type='PackTrainInputs')],
    ),
))
seed = 3
"""


def save(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), values)


@pytest.fixture
def config(tmp_path: Path) -> str:
    random = np.random.default_rng(0)
    for name in 'abcd':
        save(tmp_path / f'gta/images/{name}.png', random.integers(0, 256, (16, 32, 3), np.uint8))
        label = random.integers(0, 19, (16, 32), np.uint8)
        label[:4] = 255
        save(tmp_path / f'gta/labels/{name}_labelTrainIds.png', label)
        save(tmp_path / f'gta/depth_any/{name}.png', random.integers(0, 256, (8, 16), np.uint8))
    save(tmp_path / 'cs/leftImg8bit/train/ulm/a_leftImg8bit.png', np.zeros((16, 32, 3), np.uint8))
    path = tmp_path / 'config.py'
    path.write_text(CONFIG.format(root=tmp_path))
    return str(path)


def run(config: str, folder: Path, *options: str, name: str = 'gta') -> None:
    num = () if '--num_crops' in options else ('--num_crops', '5')
    workers = () if '--workers' in options else ('--workers', '0')
    command = ['--config', config, '--dataset_name', name, '--source_preprocessed_path', str(folder)]
    run_seg.main([*command, *num, *workers, *options])


def content(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob('*') if file.is_file()}


def test_bank_holds_the_first_crops_of_the_training(config: str, tmp_path: Path) -> None:
    run(config, tmp_path / 'bank')
    bank = DepthBank(bank_paths(tmp_path / 'bank'))
    counts = bank.check(19)
    assert counts.shape == (5, 19, 256) and counts.dtype == torch.int32
    pairs, _ = source_pairs(load_config(config), seed=3)
    pairs.target.pipeline.transforms = pairs.target.pipeline.transforms[:1] + pairs.target.pipeline.transforms[-1:]
    for number in range(5):
        image, label = bank.read(number)
        # The whole pair, as training loads it.
        drawn = pairs[number]['source']
        assert torch.equal(label, drawn['label']) and torch.equal(image[:, :24], drawn['image'][:, :24])
        assert image[:, 24:].flatten(1).unique(dim=1).flatten().tolist() == [104, 116, 124]  # the mean, BGR
        depth = read_depth(str(tmp_path / f'bank/depth/{number}.png'))
        expected = np.zeros((19, 256), int)
        np.add.at(expected, (label.numpy()[label != 255], depth[label != 255]), 1)
        np.testing.assert_array_equal(counts[number], expected)
    assert len(list((tmp_path / 'bank/images').iterdir())) == 5


def test_same_bank_for_any_number_of_workers(config: str, tmp_path: Path) -> None:
    run(config, tmp_path / 'one')
    run(config, tmp_path / 'two', '--workers', '2')
    assert content(tmp_path / 'one') == content(tmp_path / 'two')
    run(config, tmp_path / 'other', '--seed', '4')
    assert content(tmp_path / 'one')['images/0.png'] != content(tmp_path / 'other')['images/0.png']


def test_interrupted_bank_is_finished_and_a_finished_one_left_alone(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    run(config, tmp_path / 'bank')
    whole = content(tmp_path / 'bank')
    kept = (tmp_path / 'bank/images/0.png').stat().st_mtime_ns
    for name in ('images/3.png', 'depth/4.png', 'gta_5_distribution.pth'):
        (tmp_path / 'bank' / name).unlink()
    run(config, tmp_path / 'bank')
    assert content(tmp_path / 'bank') == whole
    assert (tmp_path / 'bank/images/0.png').stat().st_mtime_ns == kept
    assert '2 crops of 24x28 to make (3 are there): about' in capsys.readouterr().out
    run(config, tmp_path / 'bank')
    assert 'all there already' in capsys.readouterr().out


def test_crops_and_counts_one_after_the_other(config: str, tmp_path: Path) -> None:
    run(config, tmp_path / 'whole')
    run(config, tmp_path / 'parts', '--not_get_distributions')
    assert not list((tmp_path / 'parts').glob('*.pth'))
    run(config, tmp_path / 'parts', '--not_get_images')
    assert content(tmp_path / 'parts') == content(tmp_path / 'whole')


def test_bank_of_the_original_can_be_counted(config: str, tmp_path: Path) -> None:
    run(config, tmp_path / 'bank', '--num_crops', '7')
    for name in ('bank.json', 'gta_7_distribution.pth'):
        (tmp_path / 'bank' / name).unlink()
    with pytest.raises(ValueError, match='no bank.json says how they were made: add --not_get_images'):
        run(config, tmp_path / 'bank')
    run(config, tmp_path / 'bank', '--not_get_images')
    assert len(DepthBank(bank_paths(tmp_path / 'bank')).check(19)) == 5


def described(folder: Path) -> dict:
    return json.loads((folder / 'bank.json').read_text())


def test_counting_anew_takes_the_number_of_the_bank(config: str, tmp_path: Path) -> None:
    """Without --num_crops, of a bank that is smaller than the published one."""
    bank = tmp_path / 'bank'
    run(config, bank, '--num_crops', '4')
    whole = content(bank)
    command = ['--config', config, '--dataset_name', 'gta', '--source_preprocessed_path', str(bank), '--workers', '0']
    run_seg.main([*command, '--not_get_images'])
    assert content(bank) == whole
    # More crops than the bank has do not change it.
    for name in ('images', 'labels', 'depth'):
        (bank / name / '4.png').write_bytes((bank / name / '0.png').read_bytes())
    (bank / 'gta_4_distribution.pth').unlink()
    run_seg.main([*command, '--not_get_images'])
    assert described(bank)['num'] == 4 and len(DepthBank(bank_paths(bank)).check(19)) == 4
    # Of the original's folder, all of them.
    for name in ('bank.json', 'gta_4_distribution.pth'):
        (bank / name).unlink()
    run_seg.main([*command, '--not_get_images'])
    assert described(bank)['num'] == 5 and len(DepthBank(bank_paths(bank)).check(19)) == 5


def test_how_many_crops_are_a_bank(tmp_path: Path) -> None:
    labels = tmp_path / 'labels'
    labels.mkdir()
    for number in range(6):
        (labels / f'{number}.png').touch()
    assert [crops_to_count(tmp_path, published) for published in (None, 4, 6, 9)] == [6, 4, 6, 6]
    (tmp_path / 'bank.json').write_text(json.dumps({'settings': {'seed': 3}}))  # of a run that did not end
    assert [crops_to_count(tmp_path, published) for published in (None, 4, 9)] == [6, 4, 6]
    (tmp_path / 'bank.json').write_text(json.dumps({'num': 3}))
    assert crops_to_count(tmp_path, 9) == 3
    (tmp_path / 'bank.json').write_text(json.dumps({'num': '3'}))
    with pytest.raises(ValueError, match="bank.json: num '3', expected a number of crops; give it with --num_crops"):
        crops_to_count(tmp_path, 9)


def test_a_bank_stays_usable_while_a_larger_one_is_made_and_fails(config: str, tmp_path: Path) -> None:
    bank = tmp_path / 'bank'
    run(config, bank, '--num_crops', '2')
    before = (bank / 'bank.json').read_bytes()
    (good := tmp_path / 'gta/images/b.png').rename(kept := tmp_path / 'kept.png')
    good.write_bytes(b'broken')
    with pytest.raises(ValueError, match='crops could not be made'):
        run(config, bank, '--num_crops', '12')
    assert (bank / 'bank.json').read_bytes() == before and len(list((bank / 'labels').iterdir())) > 2
    assert len(DepthBank(bank_paths(bank)).check(19)) == 2
    with pytest.raises(ValueError, match='of 100 crops could not be made'):
        run(config, bank, '--not_get_images', '--num_crops', '100')
    assert (bank / 'bank.json').read_bytes() == before
    kept.replace(good)
    run(config, bank, '--num_crops', '12')
    assert described(bank)['num'] == 12 and len(DepthBank(bank_paths(bank)).check(19)) == 12


def test_a_bank_that_is_not_finished_says_only_its_settings(config: str, tmp_path: Path) -> None:
    bank = tmp_path / 'bank'
    run(config, bank, '--not_get_distributions')
    _, settings = source_pairs(load_config(config), seed=3)
    assert described(bank) == {'settings': settings}
    with pytest.raises(FileNotFoundError, match='no .*_distribution.pth; repeat the run_seg.py command if'):
        bank_paths(bank)
    with pytest.raises(ValueError, match='holds crops of other settings .seed: 3 there, 4 now.'):
        run(config, bank, '--seed', '4')


def test_a_description_of_another_number_is_put_right_where_all_is_there(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    bank = tmp_path / 'bank'
    run(config, bank, '--num_crops', '4')
    whole = content(bank)
    wrong = {**described(bank), 'num': 24966, 'counts': 'gta_24966_distribution.pth'}
    (bank / 'bank.json').write_text(json.dumps(wrong, indent=1))
    with pytest.raises(FileNotFoundError, match='names gta_24966_distribution.pth, which is not there; repeat the run'):
        bank_paths(bank)
    run(config, bank, '--num_crops', '4')
    assert 'all there already' in capsys.readouterr().out
    assert content(bank) == whole
    when = (bank / 'bank.json').stat().st_mtime_ns
    run(config, bank, '--num_crops', '4')
    assert (bank / 'bank.json').stat().st_mtime_ns == when


def test_no_seed_in_the_config_is_seed_0(config: str, tmp_path: Path) -> None:
    Path(config).write_text(Path(config).read_text().replace('seed = 3', 'seed = None'))
    run(config, tmp_path / 'bank')
    run(config, tmp_path / 'zero', '--seed', '0')
    assert content(tmp_path / 'bank') == content(tmp_path / 'zero')


def test_every_image_once(config: str, tmp_path: Path) -> None:
    run(config, tmp_path / 'bank', '--sampling', 'each_image', '--num_crops', '4')
    pairs, settings = source_pairs(load_config(config), 3, 'each_image')
    names = {Path(pairs.source_half(number)['meta']['img_path']).name for number in range(4)}
    assert names == {'a.png', 'b.png', 'c.png', 'd.png'}
    assert json.loads((tmp_path / 'bank/bank.json').read_text())['settings'] == settings


def test_name_of_ones_own_takes_as_many_crops_as_images(config: str, tmp_path: Path) -> None:
    command = ['--config', config, '--dataset_name', 'town', '--source_preprocessed_path', str(tmp_path / 'bank')]
    run_seg.main([*command, '--workers', '0'])
    assert (tmp_path / 'bank/town_4_distribution.pth').is_file()


def test_published_numbers_of_crops() -> None:
    assert run_seg.PUBLISHED == {'gta': ('GTADataset', 24966), 'synthia': ('SynthiaDataset', 9400)}


def test_errors_are_one_clear_line(config: str, tmp_path: Path) -> None:
    run(config, tmp_path / 'bank')
    with pytest.raises(ValueError, match='holds crops of other settings .seed: 3 there, 4 now.: name another folder'):
        run(config, tmp_path / 'bank', '--seed', '4')
    with pytest.raises(ValueError, match='is GTADataset, not synthia .SynthiaDataset.: another --dataset_name'):
        run(config, tmp_path / 'new', name='synthia')
    with pytest.raises(FileNotFoundError, match='no crops to count; run without --not_get_images'):
        run(config, tmp_path / 'new', '--not_get_images')
    (tmp_path / 'bank/depth/2.png').unlink()
    with pytest.raises(
        ValueError, match='1 of 5 crops could not be made: depth map .*2.png does not exist. Put it right'
    ):
        run(config, tmp_path / 'bank', '--not_get_images')
    (tmp_path / 'gta/depth_any/c.png').unlink()
    with pytest.raises(FileNotFoundError, match='1 of 4 images have no depth map, e.g. c.png'):
        run(config, tmp_path / 'new')


def test_broken_image_is_named_and_the_rest_is_done(config: str, tmp_path: Path) -> None:
    run(config, tmp_path / 'whole')
    good = (tmp_path / 'gta/images/b.png').read_bytes()
    (tmp_path / 'gta/images/b.png').write_bytes(b'broken')
    with pytest.raises(ValueError, match='crops could not be made: image .*b.png cannot be read'):
        run(config, tmp_path / 'bank', '--num_crops', '12')
    done = len(list((tmp_path / 'bank/images').iterdir()))
    assert 0 < done < 12 and not list((tmp_path / 'bank').glob('*.pth'))
    (tmp_path / 'gta/images/b.png').write_bytes(good)
    run(config, tmp_path / 'bank')
    assert content(tmp_path / 'bank')['gta_5_distribution.pth'] == content(tmp_path / 'whole')['gta_5_distribution.pth']


def test_both_switches_leave_nothing_to_do(config: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        run(config, tmp_path / 'bank', '--not_get_images', '--not_get_distributions')
    assert 'leave nothing to do' in capsys.readouterr().err


def test_runs_from_another_folder_with_relative_names(config: str, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / 'run_seg.py'), '--config', 'missing.py', '--dataset_name', 'gta']
    done = subprocess.run(
        [*command, '--source_preprocessed_path', 'bank'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=dict(os.environ),
    )
    assert done.returncode == 1 and done.stderr.startswith('error: config missing.py does not exist')


def test_labels_of_the_bank_are_plain_ids(config: str, tmp_path: Path) -> None:
    run(config, tmp_path / 'bank')
    label = read_label(str(tmp_path / 'bank/labels/0.png'))
    assert set(np.unique(label)) <= {*range(19), 255} and (label[24:] == 255).all()
