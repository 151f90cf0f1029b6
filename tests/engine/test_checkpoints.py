"""Checkpoint files: what is in them, which are kept, and that no interruption loses one."""

import os

import pytest
import torch

from mmseg.engine import checkpoint_file
from mmseg.engine.checkpoint_file import share_checkpoint, write_checkpoint
from mmseg.engine.training_state import load_checkpoint
from tests.engine.test_resume import stop_after
from tests.engine.toy import toy_runner


def files(folder):
    return sorted(file.name for file in folder.iterdir() if file.suffix == '.pth' or 'partial' in file.name)


def test_content_is_plain_and_without_the_frozen_copy(tmp_path):
    toy_runner(tmp_path).train()
    content = torch.load(tmp_path / 'latest.pth', weights_only=True)
    assert set(content) == {'state_dict', 'optimizer', 'param_schedulers', 'training_state', 'meta'}
    assert {key.split('.')[0] for key in content['state_dict']} == {'model', 'ema_model'}
    assert content['meta']['classes'] == ['road', 'sky', 'car']
    assert content['meta']['iter'] == content['training_state']['iteration'] == 12
    assert 'Poly10Warm' in content['meta']['config']


@pytest.mark.parametrize(('max_keep', 'kept'), [(1, [12]), (2, [8, 12]), (0, [12, 4, 8])])
def test_older_ones_are_pruned_and_latest_is_the_last(tmp_path, max_keep, kept):
    toy_runner(tmp_path, default_hooks__checkpoint__max_keep=max_keep).train()
    assert files(tmp_path) == sorted([f'iter_{n}.pth' for n in kept] + ['latest.pth'])
    assert not (tmp_path / 'latest.pth').is_symlink()
    assert load_checkpoint(tmp_path / 'latest.pth')['meta']['iter'] == 12


def test_best_is_kept_and_known_after_resuming(tmp_path):
    scores = iter([50.0, 60.0, 55.0])
    run = toy_runner(tmp_path, default_hooks__checkpoint__save_best='mIoU', train_cfg__val_interval=4)
    loop = run.build_val_loop(run._val_loop)
    loop.evaluator.evaluate = lambda size: {'mIoU': next(scores)}
    run._val_loop = loop
    stop_after(run, 9).train()
    assert files(tmp_path) == ['best_mIoU_iter_8.pth', 'iter_9.pth', 'latest.pth']
    resumed = toy_runner(tmp_path, default_hooks__checkpoint__save_best='mIoU', resume=True)
    loop = resumed.build_val_loop(resumed._val_loop)
    loop.evaluator.evaluate = lambda size: {'mIoU': next(scores)}
    resumed._val_loop = loop
    resumed.train()
    assert resumed.best == {'mIoU': {'score': 60.0, 'iteration': 8}}
    assert 'best_mIoU_iter_8.pth' in files(tmp_path)


def test_best_of_a_checkpoint_saved_before_its_validation(tmp_path):
    run = toy_runner(tmp_path, default_hooks__checkpoint__save_best='mIoU', train_cfg__val_interval=12)
    run.train()
    assert load_checkpoint(tmp_path / 'latest.pth')['training_state']['best']['mIoU']['iteration'] == 12


def test_unknown_metric_is_named(tmp_path):
    with pytest.raises(ValueError, match='mIuO.*mIoU'):
        toy_runner(tmp_path, default_hooks__checkpoint__save_best='mIuO').train()


@pytest.mark.parametrize('error', [KeyboardInterrupt, OSError])
@pytest.mark.parametrize('place', ['torch.save', 'os.replace', 'os.fsync'])
def test_interrupted_write_keeps_the_older_file(tmp_path, monkeypatch, error, place):
    path = tmp_path / 'iter_4.pth'
    write_checkpoint(path, {'iteration': 4})

    def fail(*args, **kwargs):
        if place == 'torch.save':
            args[1].write(b'half')
        raise error

    monkeypatch.setattr(place, fail)
    with pytest.raises(error):
        write_checkpoint(path, {'iteration': 5})
    monkeypatch.undo()
    assert torch.load(path) == {'iteration': 4}
    assert files(tmp_path) == ['iter_4.pth']


def test_shared_name_survives_the_original(tmp_path, monkeypatch):
    write_checkpoint(tmp_path / 'iter_4.pth', {'iteration': 4})
    write_checkpoint(tmp_path / 'iter_8.pth', {'iteration': 8})
    for name in ('iter_4.pth', 'iter_8.pth', 'iter_8.pth'):
        share_checkpoint(tmp_path / name, tmp_path / 'latest.pth')
    (tmp_path / 'iter_8.pth').unlink()
    assert torch.load(tmp_path / 'latest.pth') == {'iteration': 8}
    assert files(tmp_path) == ['iter_4.pth', 'latest.pth']

    def no_links(*args):
        raise PermissionError

    monkeypatch.setattr(os, 'link', no_links)
    share_checkpoint(tmp_path / 'iter_4.pth', tmp_path / 'latest.pth')
    assert torch.load(tmp_path / 'latest.pth') == {'iteration': 4}


def test_left_overs_of_a_killed_run_are_removed(tmp_path):
    (tmp_path / f'.iter_4.pth.123{checkpoint_file.TEMPORARY}').write_bytes(b'half')
    toy_runner(tmp_path).train()
    assert files(tmp_path) == ['iter_12.pth', 'latest.pth']
