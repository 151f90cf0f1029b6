"""Signals and the lock, with processes that take milliseconds to start."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmseg.engine.errors import ROOT
from mmseg.experiments.process import locked, run_command

# Saves when asked to stop, as a training does.
STAGE = """
import pathlib, signal, sys, time
def stop(*_):
    time.sleep(0.4)
    pathlib.Path('saved').touch()
    sys.exit(130)
for kind in (signal.SIGINT, signal.SIGTERM):
    signal.signal(kind, stop)
pathlib.Path('started').touch()
time.sleep(60)
"""
RUN = """
import sys
from pathlib import Path
from mmseg.experiments.process import Stopped, locked, run_command
with locked(Path('run')) as lock:
    try:
        run_command([sys.executable, 'stage.py'], lock)
    except Stopped:
        print('stopped', Path('saved').exists())
"""


@pytest.fixture
def running(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('stage.py').write_text(STAGE)
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    with subprocess.Popen([sys.executable, '-c', RUN], stdout=subprocess.PIPE, text=True, env=environment) as process:
        while not Path('started').exists():
            assert process.poll() is None
            time.sleep(0.02)
        yield process
        process.kill()


@pytest.mark.parametrize('kind', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_the_stage_which_ends_first(running, kind):
    running.send_signal(kind)
    assert running.communicate(timeout=30)[0] == 'stopped True\n'


@pytest.mark.skipif(sys.platform != 'linux', reason='elsewhere a stage outlives the run; the lock still holds')
def test_a_killed_run_takes_its_stage_along_and_the_next_one_waits_for_it(running, capsys):
    with (
        pytest.raises(ValueError, match=rf'run: another run of this experiment is going on \(process {running.pid}\)'),
        locked(Path('run')),
    ):
        pass
    running.kill()
    running.wait()
    assert not Path('saved').exists()
    with locked(Path('run')):
        assert Path('saved').exists()
    assert capsys.readouterr().out == 'Waiting for a stage of the earlier run to stop ...\n'


@pytest.mark.parametrize(('code', 'status'), [('pass', 0), ('raise SystemExit(3)', 3), ('import os; os.abort()', -6)])
def test_exit_status(tmp_path, code, status):
    with locked(tmp_path) as lock:
        assert run_command([sys.executable, '-c', code], lock) == status
