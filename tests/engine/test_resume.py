"""An interrupted and resumed run equals an undisturbed one, bit for bit."""

import os
import signal

import pytest
import torch

from mmseg.engine.training_state import load_checkpoint
from tests.engine.toy import rows, toy_runner


def assert_equal(ours, reference, path=''):
    if isinstance(reference, torch.Tensor):
        assert torch.equal(ours, reference), path
    elif isinstance(reference, dict):
        assert list(ours) == list(reference), path
        for key in reference:
            assert_equal(ours[key], reference[key], f'{path}.{key}')
    elif isinstance(reference, (list, tuple)):
        assert len(ours) == len(reference), path
        for position, (left, right) in enumerate(zip(ours, reference, strict=True)):
            assert_equal(left, right, f'{path}.{position}')
    else:
        assert ours == reference, path


def same_run(ours, reference, name='latest.pth'):
    """Everything in two runs' last checkpoints but times, paths and the config text."""
    checkpoints = [load_checkpoint(folder / name) for folder in (ours, reference)]
    for checkpoint in checkpoints:
        checkpoint.pop('meta')
    assert_equal(*checkpoints)
    for mode, skip in (('train', ('time', 'data_time', 'memory')), ('val', ())):
        left, right = (
            [{key: value for key, value in row.items() if key not in skip} for row in rows(folder, mode)]
            for folder in (ours, reference)
        )
        assert left == right


def stop_after(runner, iteration, kind=signal.SIGINT):
    """Stops a run after an iteration as Ctrl-C does."""
    step = runner.model.train_step

    def train_step(data, optim_wrapper):
        if runner.model.iteration + 1 == iteration:
            os.kill(os.getpid(), kind)
        return step(data, optim_wrapper)

    runner.model.train_step = train_step
    return runner


@pytest.mark.parametrize('workers', [0, 1, 3])
@pytest.mark.parametrize('accumulate', [1, 2])
def test_resumed_equals_undisturbed(tmp_path, workers, accumulate):
    options = {'train_dataloader__num_workers': workers, 'train_cfg__accumulate': accumulate}
    toy_runner(tmp_path / 'whole', **options).train()
    stopped = stop_after(toy_runner(tmp_path / 'parts', **options), 7)
    stopped.train()
    assert stopped.interrupted
    assert stopped.iter == 7
    toy_runner(tmp_path / 'parts', resume=True, **options).train()
    same_run(tmp_path / 'parts', tmp_path / 'whole')


def test_killed_run_resumes_from_its_last_checkpoint(tmp_path):
    toy_runner(tmp_path / 'whole').train()
    killed = toy_runner(tmp_path / 'parts')
    step = killed.model.train_step

    def train_step(data, optim_wrapper):
        if killed.model.iteration == 10:
            raise MemoryError
        return step(data, optim_wrapper)

    killed.model.train_step = train_step
    with pytest.raises(MemoryError):
        killed.train()
    resumed = toy_runner(tmp_path / 'parts', resume=str(tmp_path / 'parts' / 'iter_8.pth'))
    resumed.train()
    same_run(tmp_path / 'parts', tmp_path / 'whole')


def test_resume_reads_no_sample_twice(tmp_path):
    whole = toy_runner(tmp_path / 'whole')
    whole.train()
    stop_after(toy_runner(tmp_path / 'parts'), 5).train()
    resumed = toy_runner(tmp_path / 'parts', resume=True)
    resumed.train()
    assert_equal(resumed.model.seen, whole.model.seen[5:])


def test_several_optimizers_resume(tmp_path):
    def runner(folder, **changes):
        run = toy_runner(
            tmp_path / folder, optim_wrapper={'_delete_': True}, param_scheduler={'main': {'type': 'Poly10'}}, **changes
        )
        one = {'optimizer': {'type': 'Adam', 'lr': 0.01}}
        run.optim_wrapper = {'main': one, 'discriminator': {'optimizer': {'type': 'SGD', 'lr': 0.1, 'momentum': 0.9}}}
        run.param_schedulers = {'main': {'type': 'Poly10', 'min_lr': 0.0}}
        model = run.model
        model.optimizer_modules = lambda: {
            'main': {'model.backbone': model.model['backbone']},
            'discriminator': {'model.decode_head': model.model['decode_head']},
        }
        step = model.train_step
        model.train_step = lambda data, optim_wrapper: step(data, BothSteps(optim_wrapper))
        return run

    runner('whole').train()
    assert rows(tmp_path / 'whole', 'train')[-1]['lr_discriminator'] == 0.1
    stop_after(runner('parts'), 7).train()
    runner('parts', resume=True).train()
    same_run(tmp_path / 'parts', tmp_path / 'whole')


class BothSteps:
    """Steps both optimizers; the toy knows one."""

    def __init__(self, wrappers):
        self.wrappers = wrappers

    def zero_grad(self):
        self.wrappers.zero_grad()

    def step(self):
        for wrapper in self.wrappers.values():
            wrapper.step()


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'seed': 8}, 'seed 7, now 8'),
        ({'train_dataloader__batch_size': 2}, 'batch_size 4, now 2'),
        ({'train_cfg__accumulate': 2}, 'accumulate 1, now 2'),
        ({'optim_wrapper__paramwise_cfg__custom_keys': {'0.bias': {'decay_mult': 0.0}}}, 'other parameter groups'),
        ({'param_scheduler': [{'type': 'Poly10'}, {'type': 'Poly10'}]}, '1 parameter schedulers'),
    ],
)
def test_resume_of_another_run_is_refused(tmp_path, changes, words):
    stop_after(toy_runner(tmp_path), 3).train()
    with pytest.raises(ValueError, match=words):
        toy_runner(tmp_path, resume=True, **changes).train()


def test_other_class_count_and_other_network_are_named(tmp_path, monkeypatch):
    stop_after(toy_runner(tmp_path), 3).train()
    with pytest.raises(ValueError, match=r'latest.pth: .*model\.backbone\.0\.weight'):
        toy_runner(tmp_path, width=6, resume=True).train()
    monkeypatch.setattr('tests.engine.toy.ToyDataset.metainfo', {'classes': ('road',), 'palette': [[0, 0, 0]]})
    with pytest.raises(ValueError, match='trained with 3 classes, this config has 1'):
        toy_runner(tmp_path, resume=True).train()


def test_nothing_to_resume(tmp_path):
    with pytest.raises(FileNotFoundError, match='nothing to resume'):
        toy_runner(tmp_path, resume=str(tmp_path / 'elsewhere')).train()


def test_resume_without_a_checkpoint_starts_the_run(tmp_path):
    started = toy_runner(tmp_path, resume=True)
    started.train()
    assert started.iter == started.max_iters


def test_given_weights_are_read_where_nothing_is_resumed(tmp_path):
    toy_runner(tmp_path / 'first').train()
    options = {'load_from': str(tmp_path / 'first' / 'latest.pth')}
    toy_runner(tmp_path / 'plain', **options).train()
    stop_after(toy_runner(tmp_path / 'parts', resume=True, **options), 7).train()
    toy_runner(tmp_path / 'parts', resume=True, **options).train()
    same_run(tmp_path / 'parts', tmp_path / 'plain')


def test_longer_run_continues(tmp_path):
    toy_runner(tmp_path).train()
    longer = toy_runner(tmp_path, resume=True, train_cfg__max_iters=16)
    longer.train()
    assert longer.iter == 16
    assert rows(tmp_path, 'train')[-1]['lr'] == pytest.approx(0.01 / 16)
