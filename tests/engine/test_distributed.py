"""How processes find each other."""

import pytest
import torch.distributed as dist

from mmseg.engine.distributed import start_process_group
from tests.pretend_cuda import CUDA, pretend_cuda


@pytest.fixture
def one_of(monkeypatch):
    """Acts as torchrun's first process of so many."""

    def launched(processes):
        values = {'RANK': 0, 'WORLD_SIZE': processes, 'LOCAL_RANK': 0, 'LOCAL_WORLD_SIZE': processes}
        for name, value in values.items():
            monkeypatch.setenv(name, str(value))

    return launched


@pytest.mark.parametrize(('device', 'expected'), [(None, 'nccl'), ('cuda', 'nccl'), ('cpu', 'gloo')])
def test_backend_is_that_of_the_device(one_of, monkeypatch, device, expected):
    started = []
    monkeypatch.setattr(
        dist, 'init_process_group', lambda backend, device_id=None: started.append((backend, device_id))
    )
    one_of(1)
    with pretend_cuda():
        assert start_process_group(device)
    assert started == [(expected, CUDA if expected == 'nccl' else None)]


def test_more_processes_than_gpus(one_of):
    one_of(2)
    with pretend_cuda(), pytest.raises(ValueError, match='2 processes .* 1 GPU: .*CUDA_VISIBLE_DEVICES='):
        start_process_group()
