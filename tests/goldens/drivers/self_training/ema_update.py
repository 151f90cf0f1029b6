"""The teacher's parameters after each averaging; its buffers never change."""

import numpy as np
import torch
from torch import nn

from mmseg.models.uda.components.ema_teacher import EMATeacher
from tests.goldens.harness import state_tensors


def run(case):
    for number, alpha in enumerate(case.meta['alphas']):
        teacher, student = _network(case.inputs['teacher']), _network(case.inputs['teacher'])
        buffers = {name: value.clone() for name, value in teacher.named_buffers()}
        policy = EMATeacher(alpha)
        policy.freeze(teacher)
        for t in range(case.meta['steps']):
            student.load_state_dict(_state(case.inputs[f'student_t{t}']))
            policy.update(teacher, student, t)
            parameters = dict(teacher.named_parameters())
            ours = torch.cat([parameters[_flat(name)].flatten() for name in case.meta['names']])
            expected = case.arrays[f'alpha{number}_t{t}']
            rounding = 1e-7 * np.abs(expected).max()  # of the float32 reference, where terms cancel
            np.testing.assert_allclose(ours, expected, rtol=1e-6, atol=rounding, err_msg=f'{alpha}, {t}')
        trained = [parameters[_flat(name)].requires_grad for name in case.meta['names']]
        assert trained == case.meta['requires_grad_after_init']
        assert all(torch.equal(buffers[name], value) for name, value in teacher.named_buffers())


def _network(state):
    """Plain parameters, and a batch norm called ``bn``."""
    network = nn.Module()
    for name, value in _state(state).items():
        if not name.startswith('bn.'):
            network.register_parameter(name, nn.Parameter(value))
    network.bn = nn.BatchNorm2d(len(state['bn.weight'])).double()
    network.load_state_dict(_state(state))
    return network


def _state(arrays):
    return {_flat(name): value for name, value in state_tensors(arrays).items()}


def _flat(name):
    """A name that a parameter of the network itself may have."""
    return name if name.startswith('bn.') else name.replace('.', '_')
