"""The commands as a user types them, on the toy run."""

import os
import signal
import subprocess
import sys

import pytest
import torch

import run_experiments
from mmseg.engine.errors import ROOT
from mmseg.engine.training_state import load_checkpoint
from tests.engine.toy import rows, toy_config
from tools import print_config, train
from tools._entry import run_tool


@pytest.fixture
def folder(tmp_path):
    cfg = toy_config(
        tmp_path / 'unused', uda={'type': 'ToyFromConfig'}, custom_imports={'imports': ['tests.engine.toy']}
    )
    cfg.pop('work_dir')
    cfg.dump(str(tmp_path / 'toy.py'))
    return tmp_path


def call(folder, *words, code=0):
    """Runs a command in a folder; returns what it prints."""
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1', 'PYTHON': sys.executable}
    environment['CUDA_VISIBLE_DEVICES'] = ''  # several processes need not find as many GPUs
    done = subprocess.run(
        list(map(str, words)), cwd=folder, env=environment, capture_output=True, text=True, start_new_session=True
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def inside(folder, monkeypatch, capsys):
    """Runs a command's main in this process; returns what it prints."""
    monkeypatch.chdir(folder)

    def run(main, *words, code=0):
        monkeypatch.setattr(sys, 'argv', ['command', *map(str, words)])
        try:
            run_tool(main)
        except SystemExit as end:
            assert code == 1, end.code
            return str(end.code)
        assert code == 0
        return capsys.readouterr().out

    return run


def test_train_fail_resume(folder, inside):
    inside(train.main, 'toy', '--work-dir', 'whole')
    with pytest.raises(MemoryError):
        inside(train.main, 'toy', '--cfg-options', 'uda.fail_at=10')
    assert (folder / 'work_dirs' / 'toy' / 'iter_8.pth').exists()
    output = inside(train.main, 'toy', '--resume')
    assert 'at iteration 8 of 12' in output
    states = [
        load_checkpoint(path / 'latest.pth')['state_dict'] for path in (folder / 'whole', folder / 'work_dirs/toy')
    ]
    assert all(torch.equal(states[0][key], value) for key, value in states[1].items())
    assert (folder / 'whole' / 'toy.py').exists()


def test_module_form_and_dry_run(folder):
    output = call(folder, sys.executable, '-m', 'tools.train', 'toy.py', '--dry-run', '--accumulate', '2')
    assert 'Dry run passed' in output
    assert 'Warning' not in output
    assert sorted(path.name for path in folder.iterdir()) == ['toy.py']


def test_two_processes_train_as_one_with_the_double_batch(folder, inside):
    """Batch norm off, the same noise in both: gradients are averaged, so the weights agree."""
    options = ['--cfg-options', 'model.batch_norm=False', 'train_cfg.max_iters=4', 'uda.type=ToyWithoutDropout']
    call(
        folder,
        'bash',
        ROOT / 'tools' / 'dist_train.sh',
        'toy',
        '2',
        '--work-dir',
        'two',
        *options,
        'train_dataloader.batch_size=2',
    )
    inside(train.main, 'toy', '--work-dir', 'one', *options)
    one, two = (load_checkpoint(folder / name / 'latest.pth')['state_dict'] for name in ('one', 'two'))
    for key, value in one.items():
        assert torch.allclose(two[key], value, rtol=1e-9), key
    losses = [[row['decode.loss_seg'] for row in rows(folder / name, 'train')] for name in ('one', 'two')]
    assert losses[1] == pytest.approx(losses[0])
    scores = [[row['mIoU'] for row in rows(folder / name, 'val')] for name in ('one', 'two')]
    assert scores[1] == pytest.approx(scores[0])


@pytest.mark.parametrize('kind', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_processes_with_workers(folder, kind):
    interrupt = ['uda.interrupt_at=4', f'uda.interrupt_with={int(kind)}']
    options = ['--cfg-options', *interrupt, 'train_dataloader.num_workers=2']
    output = call(folder, sys.executable, ROOT / 'tools' / 'train.py', 'toy', *options, code=130)
    assert 'Stopped at iteration 5 of 12; the same command with --resume continues.' in output
    assert 'Traceback' not in output
    assert load_checkpoint(folder / 'work_dirs' / 'toy' / 'latest.pth')['meta']['iter'] == 5


def test_dated_run_and_its_resume(folder, inside):
    start = [run_experiments.main, '--config', 'toy']
    inside(*start, '--cfg-options', 'train_cfg.max_iters=4')
    [run] = (folder / 'work_dirs' / 'local-basic').iterdir()
    assert (folder / 'configs' / 'generated' / 'local-basic' / f'{run.name}.py').exists()
    assert load_checkpoint(run / 'latest.pth')['meta']['iter'] == 4
    inside(*start, '--resume', '--cfg-options', 'train_cfg.max_iters=6')
    assert load_checkpoint(run / 'latest.pth')['meta']['iter'] == 6


def test_a_run_of_another_name_is_resumed(folder, inside):
    start = [run_experiments.main, '--config', 'toy']
    inside(*start, '--cfg-options', 'name=mine', 'exp=own', 'train_cfg.max_iters=4')
    [run] = (folder / 'work_dirs' / 'local-own').iterdir()
    more = ['--cfg-options', 'name=mine', 'exp=own']
    assert 'at iteration 4 of 6' in inside(*start, '--resume', *more, 'train_cfg.max_iters=6')
    words = ['--resume', f'work_dirs/local-own/{run.name}', '--cfg-options', 'train_cfg.max_iters=8']
    assert 'at iteration 6 of 8' in inside(*start, *words)
    assert load_checkpoint(run / 'latest.pth')['meta']['iter'] == 8
    words = ['--resume', '--startup-test', *more]
    assert '--resume and --startup-test exclude each other' in inside(*start, *words, code=1)


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        (['--resume', 'elsewhere'], 'nothing to resume: '),
        (['--resume', '--load-from', 'x.pth'], '--resume continues'),
        (['--cfg-options', 'uda.type=ToyFromConfg'], 'ToyFromConfig'),
        (['--cfg-options', 'train_dataloader.dataset.type=ToyDatset'], 'unknown dataset type'),
        (['--cfg-options', 'train_cfg.max_iter=3'], 'did you mean max_iters'),
        (['--cfg-options', 'train_cfg.max_iters=ten'], 'train_cfg.max_iters=ten: expected a whole number'),
        (['--cfg-options', 'train_cfg.max_iters', '=', '3'], '--cfg-options train_cfg.max_iters: expected KEY=VALUE'),
        (['--cfg-options', 'model.hidden=[1,2'], '--cfg-options model.hidden=[1,2: expected KEY=VALUE'),
        (['--cfg-options', 'seed.number=3'], '--cfg-options do not fit config toy.py'),
        (['--cfg-options', 'train_dataloader.batch_size=0'], 'batch_size=0 of a data loader'),
        (['--cfg-options', 'train_dataloader.num_workers=-1'], 'num_workers=-1 of a data loader'),
        (['--cfg-options', 'optim_wrapper=None'], 'toy.py describes no training: it has no optim_wrapper'),
        (['--cfg-options', 'compile=yes'], "compile='yes': expected True, False"),
        (['--cfg-options', 'compile.mode=fastest'], "compile={'mode': 'fastest'}: Unrecognized mode=fastest"),
        (['--cfg-options', 'compile.speed=3'], "compile={'speed': 3}: "),
        (['--cuda-graphs'], 'CUDA graphs need a GPU'),
        (['--seed', '-1'], 'seed -1: expected a whole number from 0'),
    ],
)
def test_mistakes_are_one_line(inside, options, words):
    message = inside(train.main, 'toy', *options, code=1)
    assert message.startswith('error: ')
    assert words in message
    assert '\n' not in message


def test_mistakes_end_with_code_1_and_no_traceback(folder):
    output = call(folder, sys.executable, ROOT / 'tools' / 'train.py', 'toi', code=1)
    assert output.startswith('error: config toi does not exist; nearest: toy.py')
    assert len(output.splitlines()) == 1


def test_print_config(inside):
    assert 'seed = 11' in inside(print_config.main, 'toy', '--cfg-options', 'seed=11')


def test_another_mmseg_is_named(folder):
    rival = folder / 'site' / 'mmsegmentation-1.2.2.dist-info'
    rival.mkdir(parents=True)
    (rival / 'METADATA').write_text('Metadata-Version: 2.1\nName: mmsegmentation\nVersion: 1.2.2\n')
    code = (
        f'import sys; sys.path.append({str(rival.parent)!r}); from tools._entry import check_package; check_package()'
    )
    output = call(folder, sys.executable, '-c', code, code=1)
    assert 'pip uninstall mmsegmentation' in output
