"""Loaders' workers and signals, in processes of their own."""

import os
import signal
import subprocess
import sys

import pytest

from mmseg.engine.errors import ROOT

# The loader lives to the end, so that its workers do: Python ends them with SIGTERM.
RUN = """
import os, signal, subprocess, sys, time
from torch.utils.data import DataLoader
from mmseg.datasets.parallel import start_worker

def stop(*_):
    print('told to stop')

loader = DataLoader(range(8), num_workers=2, persistent_workers=True, worker_init_fn=start_worker)
batches = iter(loader)
for _ in range(loader.num_workers):  # one of each worker: all have started
    next(batches)
if sys.argv[1] == 'signal':
    signal.signal(signal.SIGTERM, stop)
    subprocess.run(['sh', '-c', 'kill -TERM 0'])
    time.sleep(0.5)
print(sum(1 for _ in batches) + loader.num_workers, 'batches')
if sys.argv[1] == 'error':
    raise SystemExit(3)
"""


@pytest.mark.parametrize(('case', 'code'), [('end', 0), ('error', 3)])
def test_workers_end_with_the_main_process(case, code):
    done = run(case)
    assert (done.returncode, done.stdout, done.stderr) == (code, '8 batches\n', '')


@pytest.mark.skipif(not hasattr(signal, 'sigwaitinfo'), reason='workers end at SIGTERM here')
def test_workers_outlive_a_signal_to_all_processes():
    done = run('signal')
    assert (done.returncode, done.stdout, done.stderr) == (0, 'told to stop\n8 batches\n', '')


def run(case):
    # A session of its own, and minutes for what takes seconds: workers that do not end would be waited for forever.
    command = [sys.executable, '-c', RUN, case]
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=300, env=environment, start_new_session=True
    )
