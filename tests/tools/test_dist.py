"""The commands for several processes: what they start, on one machine and on several."""

import os
import signal
import socket
import subprocess
import sys

import pytest
import torch

from mmseg.engine.errors import ROOT
from mmseg.engine.training_state import load_checkpoint
from tests.engine.toy import rows, toy_config

VARIABLES = ('NNODES', 'NODE_RANK', 'MASTER_ADDR', 'PORT')
SCRIPTS = {'dist_train.sh': ['config.py'], 'dist_test.sh': ['config.py', 'last.pth']}


def environment(**given):
    """This one without what describes machines, and with this."""
    own = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    return {**own, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': '', **given}


@pytest.fixture
def started(tmp_path):
    """The words that torchrun would get; or the lines that are said, and the code."""
    echo = tmp_path / 'python'
    echo.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    echo.chmod(0o755)

    def start(script, **given):
        words = ['bash', str(ROOT / 'tools' / script), *SCRIPTS[script], '3', '--seed', '1 2']
        done = subprocess.run(words, env=environment(PYTHON=str(echo), **given), capture_output=True, text=True)
        if done.returncode:
            return done.returncode, done.stderr.splitlines()
        module, tool = ['-m', 'torch.distributed.run'], script.removeprefix('dist_').replace('.sh', '.py')
        words = done.stdout.splitlines()
        place = words.index('--nproc_per_node')
        assert words[:2] == module and words[place + 1] == '3'
        assert words[place + 2].endswith(f'/tools/{tool}') and words[place + 3 :] == [*SCRIPTS[script], '--seed', '1 2']
        return ' '.join(words[2:place])

    return start


@pytest.mark.parametrize('script', SCRIPTS)
@pytest.mark.parametrize(
    ('given', 'options'),
    [
        ({}, '--standalone --local-addr 127.0.0.1'),
        # What clusters set for any job of one machine.
        ({'NNODES': '1', 'NODE_RANK': '0', 'MASTER_ADDR': 'here'}, '--standalone --local-addr 127.0.0.1'),
        ({'NNODES': '', 'PORT': ''}, '--standalone --local-addr 127.0.0.1'),
        ({'PORT': '29501'}, '--nnodes 1 --node_rank 0 --master_addr 127.0.0.1 --master_port 29501'),
        (
            {'NNODES': '2', 'NODE_RANK': '1', 'MASTER_ADDR': '10.0.0.1'},
            '--nnodes 2 --node_rank 1 --master_addr 10.0.0.1 --master_port 29500',
        ),
        (
            {'NNODES': '3', 'NODE_RANK': '0', 'MASTER_ADDR': 'first', 'PORT': '4000'},
            '--nnodes 3 --node_rank 0 --master_addr first --master_port 4000',
        ),
    ],
)
def test_machines_are_those_of_the_environment(started, script, given, options):
    assert started(script, **given) == options


@pytest.mark.parametrize('script', SCRIPTS)
@pytest.mark.parametrize(
    ('given', 'message'),
    [
        ({'NNODES': '2', 'MASTER_ADDR': 'a'}, 'NNODES=2 needs NODE_RANK, the number of this machine from 0 to 1, and'),
        ({'NNODES': '2', 'NODE_RANK': '0'}, 'NNODES=2 needs NODE_RANK, the number of this machine from 0 to 1, and'),
        ({'NNODES': '2', 'NODE_RANK': '2', 'MASTER_ADDR': 'a'}, 'NODE_RANK=2: expected the number of this machine'),
        ({'NODE_RANK': '1', 'MASTER_ADDR': 'a'}, 'NODE_RANK=1 is of several machines: give NNODES'),
        ({'NNODES': '1:2'}, 'NNODES=1:2: expected a number of machines from 1'),
        ({'NNODES': '0'}, 'NNODES=0: expected a number of machines from 1'),
        ({'PORT': '70000'}, 'PORT=70000: expected a port from 1 to 65535'),
    ],
)
def test_mistakes_are_one_line(started, script, given, message):
    code, [line] = started(script, **given)
    assert code == 2 and line.startswith(f'error: {message}')


def free_port():
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return str(listener.getsockname()[1])


OPTIONS = ['--cfg-options', 'model.batch_norm=False', 'train_cfg.max_iters=4', 'uda.type=ToyWithoutDropout']


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """With the toy config, and a run of one process in ``one``."""
    folder = tmp_path_factory.mktemp('toy')
    cfg = toy_config(folder / 'unused', uda={'type': 'ToyFromConfig'}, custom_imports={'imports': ['tests.engine.toy']})
    cfg.pop('work_dir')
    cfg.dump(str(folder / 'toy.py'))
    words = [sys.executable, str(ROOT / 'tools/train.py'), 'toy', '--work-dir', 'one', *OPTIONS]
    subprocess.run(words, cwd=folder, env=environment(), check=True, capture_output=True)
    return folder


@pytest.mark.parametrize('machines', [1, 2])
def test_two_processes_wherever_they_run_train_as_one_with_the_double_batch(folder, machines):
    """Two on one machine at a given port, or one on each of two machines: the same weights as of one process."""
    name = f'{machines}_machines'
    script = ['bash', str(ROOT / 'tools/dist_train.sh'), 'toy', str(2 // machines), '--work-dir', name]
    given = {'PYTHON': sys.executable, 'PORT': free_port()}
    if machines == 2:
        given |= {'NNODES': '2', 'MASTER_ADDR': '127.0.0.1'}
    running = [
        subprocess.Popen(
            [*script, *OPTIONS, 'train_dataloader.batch_size=2'],
            cwd=folder,
            env=environment(**given, NODE_RANK=str(number)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        for number in range(machines)
    ]
    try:
        for process in running:
            output, _ = process.communicate(timeout=300)
            assert process.returncode == 0, output
    finally:
        for process in running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    weights, both = (load_checkpoint(folder / run / 'latest.pth')['state_dict'] for run in ('one', name))
    for key, value in weights.items():
        assert torch.allclose(both[key], value, rtol=1e-9), key
    # One log of both: each line once.
    losses = [[row['decode.loss_seg'] for row in rows(folder / run, 'train')] for run in ('one', name)]
    assert losses[1] == pytest.approx(losses[0])
