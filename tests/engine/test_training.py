"""The command line's parts on the toy run: logs, panels, accumulation, dry run, signals, imports."""

import os
import signal
import subprocess
import sys
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmseg.engine.errors import user_message
from mmseg.engine.hooks.checkpoint import CheckpointHook
from mmseg.engine.json_log import JsonLog, read_rows
from mmseg.engine.loops import TrainLoop
from mmseg.engine.precision import Precision
from mmseg.engine.training import dry_run_summary
from mmseg.engine.training_state import load_checkpoint
from mmseg.evaluation.run_folder import find_config
from tests.engine.test_resume import stop_after
from tests.engine.toy import ToyMethod, rows, toy_config, toy_runner


def test_log_rows_and_console_line(tmp_path, capsys):
    toy_runner(tmp_path).train()
    first, *_, last = rows(tmp_path, 'train')
    assert [row['iter'] for row in rows(tmp_path, 'train')] == [1, 4, 8, 12]
    assert set(first) == {
        'mode', 'iter', 'lr', 'time', 'data_time', 'memory', 'decode.loss_seg', 'decode.acc_seg',
    }  # fmt: skip
    assert last['time'] > last['data_time'] >= 0
    assert first['memory'] > 10
    assert [row['iter'] for row in rows(tmp_path, 'val')] == [6, 12]
    assert rows(tmp_path, 'val')[0]['IoU.road'] is None
    [meta] = rows(tmp_path, 'meta')
    assert meta['seed'] == 7
    console = capsys.readouterr().out
    assert 'mmseg - INFO - Iter [12/12]  lr: 8.333e-04, eta: 0:00:00, time: 0.' in console
    assert console.count('\n') < 15
    assert 'WARNING' not in console


def test_log_text_has_no_nan(tmp_path):
    toy_runner(tmp_path).train()
    assert 'NaN' not in (tmp_path / 'log.jsonl').read_text()


def test_resumed_log_has_every_iteration_once(tmp_path):
    path = tmp_path / 'log.jsonl'
    log = JsonLog(path)
    for iteration in (1, 5, 10, 15):
        log.write({'mode': 'train', 'iter': iteration})
    with path.open('a') as file:
        file.write('{"mode": "train", "it')
    JsonLog(path, keep_until=10).write({'mode': 'train', 'iter': 15, 'loss': float('inf')})
    assert [row['iter'] for row in read_rows(path)] == [1, 5, 10, 15]
    assert read_rows(path)[-1]['loss'] is None
    JsonLog(path).write({'mode': 'train', 'iter': 1})
    assert len(read_rows(path)) == 1
    assert len(list(tmp_path.glob('log_*.jsonl'))) == 1


def test_panels_are_drawn(tmp_path):
    import cv2

    toy_runner(tmp_path).train()
    files = sorted(file.name for file in (tmp_path / 'panels').iterdir())
    assert files == ['iter_000001.png', 'iter_000007.png']
    assert cv2.imread(str(tmp_path / 'panels' / files[0])).ndim == 3


def test_accumulated_micro_batches_equal_one_batch(tmp_path):
    """Without batch norm and dropout the mean of two halves is the whole."""

    def weights(folder, batch, accumulate):
        run = toy_runner(
            tmp_path / folder, batch_norm=False, train_dataloader__batch_size=batch, train_cfg__accumulate=accumulate
        )
        step = run.model.train_step

        def train_step(data, optim_wrapper):
            run.model.eval()
            return step(data, optim_wrapper)

        run.model.train_step = train_step
        run.train()
        return load_checkpoint(tmp_path / folder / 'latest.pth')['state_dict']

    whole, halves = weights('whole', 4, 1), weights('halves', 2, 2)
    for key, value in whole.items():
        assert torch.allclose(halves[key], value, rtol=1e-10), key


def test_validation_alone_builds_no_training_data(tmp_path):
    options = {'train_dataloader__dataset__type': 'NoSuchDataset', 'default_hooks__checkpoint__save_best': 'mIoU'}
    assert toy_runner(tmp_path, **options).val()['mIoU'] > 0
    assert not list(tmp_path.glob('*.pth'))


def test_dry_run_leaves_nothing_and_sums_up(tmp_path, monkeypatch):
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    monkeypatch.setattr('tempfile.tempdir', None)
    summary = dry_run_summary(toy_config(tmp_path / 'work'), ToyMethod())
    assert 'Dry run passed' in summary
    assert 'all 12 would take' in summary
    assert 'validation step: done' in summary
    # PyTorch makes an empty folder for its compiler when it first imports that.
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith('torchinductor')] == []


def test_dry_run_without_validation(tmp_path):
    cfg = toy_config(tmp_path)
    cfg.val_dataloader = cfg.val_evaluator = None
    assert 'none (no validation data' in dry_run_summary(cfg, ToyMethod())


@pytest.mark.parametrize('kind', [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_with_a_checkpoint(tmp_path, kind):
    run = stop_after(toy_runner(tmp_path), 2, kind)
    run.train()
    assert run.iter == 2
    assert load_checkpoint(tmp_path / 'latest.pth')['training_state']['iteration'] == 2


@pytest.mark.parametrize('kind', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_validation_saves_too(tmp_path, kind):
    run = toy_runner(tmp_path, default_hooks__checkpoint__interval=100)
    evaluate = run.val_loop.run

    def interrupted_validation():
        os.kill(os.getpid(), kind)
        return evaluate()

    run.val_loop.run = interrupted_validation
    run.train()
    assert run.interrupted and run.iter == 6
    assert load_checkpoint(tmp_path / 'latest.pth')['training_state']['iteration'] == 6


def test_a_sigterm_that_comes_on_two_ways_is_one(tmp_path, monkeypatch):
    stop_after(stop_after(toy_runner(tmp_path / 'one'), 2, signal.SIGTERM), 2, signal.SIGTERM).train()
    assert load_checkpoint(tmp_path / 'one' / 'latest.pth')['training_state']['iteration'] == 2

    def stopped_at_once(*_):
        raise SystemExit

    monkeypatch.setattr('mmseg.engine.loops.ONE_REQUEST', -1.0)
    before = signal.signal(signal.SIGTERM, stopped_at_once)
    try:
        with pytest.raises(SystemExit):
            stop_after(stop_after(toy_runner(tmp_path / 'two'), 2, signal.SIGTERM), 2, signal.SIGTERM).train()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_new_run_leaves_the_checkpoints_of_an_earlier_one(tmp_path):
    toy_runner(tmp_path).train()
    toy_runner(tmp_path, resume=True, train_cfg__max_iters=13).train()
    assert list(tmp_path.glob('earlier_*')) == []
    (tmp_path / 'eval_latest.json').write_text('{}')
    kept = {path.name for path in tmp_path.glob('*.pth')} | {'eval_latest.json'}
    toy_runner(tmp_path, train_cfg__max_iters=2).train()
    [earlier] = tmp_path.glob('earlier_*')
    assert {path.name for path in earlier.iterdir()} == kept | {f'{earlier.name}.py'} and 'iter_13.pth' in kept
    assert Config.fromfile(find_config(earlier)).train_cfg.max_iters == 13
    assert load_checkpoint(earlier / 'latest.pth')['training_state']['iteration'] == 13
    assert load_checkpoint(tmp_path / 'latest.pth')['training_state']['iteration'] == 2


def test_a_start_that_fails_leaves_the_config_of_the_run_before(tmp_path):
    toy_runner(tmp_path).train()
    before = find_config(tmp_path).read_text()
    toy_runner(tmp_path, train_cfg__max_iters=98)
    with pytest.raises(ValueError, match='no such hook; did you mean checkpoint'):
        toy_runner(tmp_path, train_cfg__max_iters=97, default_hooks={'chekpoint': {'interval': 1}})
    assert find_config(tmp_path).read_text() == before


def test_resuming_with_other_options_is_said(tmp_path, capsys):
    toy_runner(tmp_path).train()
    toy_runner(tmp_path, resume=True, train_cfg__max_iters=13).train()
    assert 'other settings than before: train_cfg.max_iters 12 -> 13.' in capsys.readouterr().out
    toy_runner(tmp_path, resume=True, train_cfg__max_iters=13).train()
    assert 'other settings' not in capsys.readouterr().out
    with pytest.raises(ValueError, match='at iteration 13, beyond train_cfg.max_iters=12: repeat the options'):
        toy_runner(tmp_path, resume=True).train()


def test_checkpoint_options(tmp_path):
    toy_runner(tmp_path, default_hooks={'checkpoint': {'interval': -1, 'save_best': 'auto'}}).train()
    assert [path.name for path in tmp_path.glob('iter_*.pth')] == ['iter_12.pth']
    assert len(list(tmp_path.glob('best_mIoU_iter_*.pth'))) == 1
    with pytest.raises(ValueError, match='interval=0: expected a whole number of at least 1'):
        toy_runner(tmp_path, default_hooks={'checkpoint': {'interval': 0}})


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'train_dataloader__batchsize': 1}, "a data loader has no setting 'batchsize'"),
        ({'optim_wrapper__optimizer__lrr': 1}, r"optim_wrapper \(main\).optimizer has no setting 'lrr'"),
        ({'optim_wrapper__optimizer__lr': '1e-3x'}, 'needs a learning rate, a number'),
    ],
)
def test_settings_that_do_not_exist(tmp_path, change, words):
    with pytest.raises(ValueError, match=words):
        toy_runner(tmp_path, **change).train()


@pytest.mark.parametrize(('name', 'known'), [('mIoU', False), ('mDice', True), ('farm/mDice', True), (None, True)])
def test_the_score_of_the_best_checkpoint_is_looked_for_before_training(tmp_path, name, known):
    runner = toy_runner(tmp_path, default_hooks={'checkpoint': {'save_best': name}})
    runner.val_loop.evaluator.metrics[0].mean_names = ['aAcc', 'mDice']
    with nullcontext() if known else pytest.raises(ValueError, match="save_best='mIoU': validation gives aAcc, mDice"):
        next(hook for hook in runner.hooks if isinstance(hook, CheckpointHook)).before_train(runner)


def test_out_of_memory_is_one_line_with_what_to_do():
    error = torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2 GiB.\nSee documentation')
    assert user_message(error).startswith('CUDA out of memory. Tried to allocate 2 GiB. What saves memory: --precision')


@pytest.fixture
def python_handles_ctrl_c():
    # Jobs that a shell started in the background ignore Ctrl-C, and so would this test.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures('python_handles_ctrl_c')
def test_second_signal_stops_at_once(tmp_path):
    run = stop_after(stop_after(toy_runner(tmp_path), 2), 2)
    with pytest.raises(KeyboardInterrupt):
        run.train()


def test_run_stops_where_samples_end(tmp_path):
    with pytest.raises(ValueError, match='infinite'):
        toy_runner(tmp_path, train_dataloader__sampler={'type': 'DefaultSampler'}).train()


@pytest.mark.parametrize(
    ('option', 'words'),
    [({'max_iter': 5}, 'max_iter is unknown; did you mean max_iters'), ({'val_interval': 0}, 'val_interval=0')],
)
def test_train_cfg_mistakes(option, words):
    with pytest.raises(ValueError, match=words):
        TrainLoop(None, {}, **{'max_iters': 5, **option})


@pytest.mark.parametrize('mode', ['fp32', 'tf32', 'bf16'])
def test_precision(mode):
    precision = Precision(mode)
    precision.apply_global_flags()
    assert torch.backends.cuda.matmul.allow_tf32 == torch.backends.cudnn.allow_tf32 == (mode != 'fp32')
    with precision.autocast('cpu'):
        result = torch.nn.functional.linear(torch.ones(1, 2), torch.ones(1, 2))
    assert result.dtype == (torch.bfloat16 if mode == 'bf16' else torch.float32)
    Precision('fp32').apply_global_flags()


def test_unknown_precision():
    with pytest.raises(ValueError, match="'fp8'.*fp32, tf32, bf16"):
        Precision('fp8')


def test_same_seed_same_weights_another_seed_others(tmp_path):
    def weights(folder, seed):
        toy_runner(tmp_path / folder, seed=seed).train()
        return load_checkpoint(tmp_path / folder / 'latest.pth')['state_dict']['model.decode_head.weight'].numpy()

    assert np.array_equal(weights('a', 1), weights('b', 1))
    assert not np.array_equal(weights('c', 1), weights('d', 2))


def test_import_loads_no_package_that_few_runs_need_and_warns_of_nothing():
    heavy = {'matplotlib', 'onnx', 'onnxruntime', 'tensorboard', 'timm', 'torchvision', 'torch._inductor'}
    code = f'import sys, mmseg.engine.training, mmseg.engine.config; print(*sorted({heavy} & sys.modules.keys()))'
    done = subprocess.run(
        [sys.executable, '-W', 'error::UserWarning:mmseg', '-c', code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
    assert done.stderr == ''


def test_a_loader_without_workers_keeps_none_of_their_options(tmp_path):
    runner = toy_runner(tmp_path, train_dataloader__persistent_workers=True, train_dataloader__prefetch_factor=4)
    runner.train()
    assert runner.train_dataloader.num_workers == 0 and not runner.train_dataloader.persistent_workers
