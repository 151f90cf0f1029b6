"""A chain of real processes that is killed in the middle and continued."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch

import run_experiments
from mmseg.engine.config import load_config
from mmseg.engine.errors import ROOT
from mmseg.engine.training import train
from mmseg.engine.training_state import load_checkpoint
from tests.engine.toy import toy_config

FOLDER = Path('work_dirs/local-toy/chain')


def wait_for(path, process):
    limit = time.monotonic() + 120
    while not path.exists():
        assert process.poll() is None and time.monotonic() < limit
        time.sleep(0.05)


def test_killed_and_continued(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    cfg = toy_config('whole', uda={'type': 'SlowToy'}, custom_imports={'imports': ['tests.experiments.slow_toy']})
    cfg.dump('toy.py')
    Path('copy.py').write_text('import shutil, sys\nshutil.copy(*sys.argv[1:])\n')
    Path('chain.py').write_text(
        "exp = 'toy'\n"
        "stages = dict(net=dict(train='toy.py'),\n"
        "    copy=dict(tool='copy.py', args=['{net}', '{output}'], output='copy.pth'))\n"
    )
    train(load_config('toy.py'))

    Path('wait').touch()
    command = [sys.executable, str(ROOT / 'run_experiments.py'), '--config', 'chain']
    with subprocess.Popen(command, start_new_session=True, env={**os.environ}) as running:
        wait_for(FOLDER / 'net' / 'iter_4.pth', running)
        running.send_signal(signal.SIGKILL)
    Path('wait').unlink()
    assert json.loads((FOLDER / 'net' / 'stage.json').read_text())['state'] == 'begun'

    run_experiments.main(['--config', 'chain'])
    output = capfd.readouterr().out
    assert 'Resumed from' in output and '[2/2] copy' in output
    whole, continued = (load_checkpoint(path)['state_dict'] for path in ('whole/latest.pth', FOLDER / 'copy/copy.pth'))
    assert all(torch.equal(value, continued[key]) for key, value in whole.items())
