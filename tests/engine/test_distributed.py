"""How processes find each other."""

import pytest

from mmseg.engine.distributed import start_process_group
from tests.pretend_cuda import pretend_cuda


def test_more_processes_than_gpus(monkeypatch):
    for name, value in {'RANK': '0', 'WORLD_SIZE': '2', 'LOCAL_RANK': '0', 'LOCAL_WORLD_SIZE': '2'}.items():
        monkeypatch.setenv(name, value)
    with pretend_cuda(), pytest.raises(ValueError, match='2 processes .* 1 GPU: .*CUDA_VISIBLE_DEVICES='):
        start_process_group()
