"""What makes a step fast changes rounding only."""

import pytest
import torch

from benchmarks._step_modes import build, without_weights
from benchmarks._synthetic import loader_batch
from mmseg.engine.config import load_config

STEPS = 3


def trained(mode, **optimizer):
    """Log values of a few steps and the change of the student's weights, without dropout."""
    options = {'model.decode_head.dropout_ratio': 0.0, 'optim_wrapper.optimizer.lr': 1e-5}
    options |= {f'optim_wrapper.optimizer.{key}': value for key, value in optimizer.items()}
    cfg = without_weights(load_config('configs/demo/mic.py', options).to_dict())
    method, optim_wrapper = build(cfg, mode, torch.device('cpu'))
    method.log_interval = 1
    start = [parameter.detach().clone() for parameter in method.student.parameters()]
    logs = []
    for number in range(STEPS):
        batch = loader_batch((64, 64), 2, method.student.num_classes, True, False, seed=number)
        logs.append({name: float(value) for name, value in method.train_step(batch, optim_wrapper).items()})
    return logs, [after.detach() - before for after, before in zip(method.student.parameters(), start, strict=True)]


@pytest.fixture(scope='module')
def reference():
    return trained('fp32')


@pytest.mark.parametrize(
    ('mode', 'optimizer', 'tolerance'),
    [
        ('channels_last', {}, 1e-3),
        ('fp32', {'foreach': True}, 1e-4),
        ('fp32', {'fused': True}, 1e-4),
        ('bf16', {}, 0.06),
        ('fp16', {}, 0.02),
        ('bf16+channels_last', {'fused': True}, 0.06),
    ],
)
def test_losses_coincide(reference, mode, optimizer, tolerance):
    logs, moved = trained(mode, **optimizer)
    for ours, theirs in zip(logs, reference[0], strict=True):
        for name, value in theirs.items():
            if 'loss' in name and name in ours:
                assert ours[name] == pytest.approx(value, rel=tolerance, abs=tolerance / 10), name
    assert sum(float(change.abs().sum()) for change in moved) > 0
