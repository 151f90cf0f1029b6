"""Number formats of a run: what ``auto`` is, and float16 with scaled losses."""

import math

import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import nn

from mmseg.engine.loss_scaler import INITIAL, LossScaler
from mmseg.engine.precision import Precision
from mmseg.models.uda import build_method
from tests.models.uda.test_dacs import UDA
from tests.models.uda.toy import config, random_batch

FUSED = [False, True]


def method_for(precision, uda=UDA):
    torch.manual_seed(0)
    method = build_method(config(uda)).train()
    method.precision = Precision(precision)
    return method


def adamw(method, fused=False):
    return OptimWrapper(torch.optim.AdamW(method.student.parameters(), lr=1e-3, fused=fused))


def step(method, optim_wrapper, seed=0):
    batch = random_batch(seed=seed, dtype=torch.float32)
    return method.train_step({'batch': batch}, optim_wrapper)


def test_auto_is_the_reference_without_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    assert Precision('auto').mode == 'fp32'
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    for supported, mode in ((True, 'bf16'), (False, 'fp32')):
        monkeypatch.setattr(torch.cuda, 'is_bf16_supported', lambda including_emulation, answer=supported: answer)
        assert Precision('auto').mode == mode


def test_an_unknown_format_is_an_error():
    with pytest.raises(ValueError, match='fp8'):
        Precision('fp8')


@pytest.mark.parametrize(('mode', 'dtype'), [('bf16', torch.bfloat16), ('fp16', torch.float16)])
def test_sixteen_bits_are_those_asked_for(mode, dtype):
    with Precision(mode).autocast('cpu'):
        assert nn.Linear(2, 2)(torch.zeros(1, 2)).dtype == dtype


@pytest.mark.parametrize('fused', FUSED)
def test_float16_learns_what_float32_learns(fused):
    trained = []
    for precision in ('fp32', 'fp16'):
        method = method_for(precision)
        optim_wrapper = adamw(method, fused)
        start = [parameter.detach().clone() for parameter in method.student.parameters()]
        for number in range(3):
            step(method, optim_wrapper, number)
        moved = [after.detach() - before for after, before in zip(method.student.parameters(), start, strict=True)]
        trained.append(torch.cat([each.flatten() for each in moved]))
    assert float(trained[0].norm()) > 0
    assert float((trained[1] - trained[0]).norm() / trained[0].norm()) < 0.2


@pytest.mark.parametrize('fused', FUSED)
def test_an_overflow_leaves_the_step_out_and_halves_the_scale(fused):
    method = method_for('fp16')
    optim_wrapper = adamw(method, fused)
    step(method, optim_wrapper)
    before = [parameter.detach().clone() for parameter in method.student.parameters()]
    factor = float(method.scaler.factor)
    handle = method.student.decode_head.register_forward_hook(lambda module, args, out: out * 1e36)
    step(method, optim_wrapper, 1)
    handle.remove()
    assert float(method.scaler.factor) == factor / 2
    for parameter, old in zip(method.student.parameters(), before, strict=True):
        assert torch.equal(parameter, old)
    step(method, optim_wrapper, 2)
    assert float(method.scaler.factor) == factor / 2
    assert not torch.equal(next(iter(method.student.parameters())), before[0])


@pytest.mark.parametrize('overflows', [(True, False), (False, True, False)])
def test_fused_sgd_with_momentum_after_an_overflow(overflows):
    layer, scaler = nn.Linear(2, 1, bias=False), LossScaler()
    nn.init.zeros_(layer.weight)
    optimizer = torch.optim.SGD(layer.parameters(), lr=1.0, momentum=0.9, fused=True)
    for overflow in overflows:
        layer.weight.grad = torch.full_like(layer.weight, torch.inf if overflow else float(scaler.factor))
        # Memory that the next buffers are likely to get.
        torch.full((1, 2), 1e30)
        scaler.unscale([optimizer])
        optimizer.step()
    steps = {2: 1.0, 3: 1.0 + 1.9}[len(overflows)]
    assert layer.weight.tolist() == [[pytest.approx(-steps)] * 2]
    assert float(scaler.factor) == INITIAL / 2


def test_the_scale_is_logged_and_restored():
    method = method_for('fp16')
    assert float(step(method, adamw(method))['loss_scale']) == INITIAL
    method.scaler._scale, method.scaler._steps = torch.tensor(512.0), torch.tensor(7)
    state = method.training_state()
    other = method_for('fp16')
    other.load_training_state(state)
    assert other.scaler.training_state() == {'scale': 512.0, 'steps': 7}
    method_for('fp32').load_training_state(state)
    other.load_training_state(method_for('fp32').training_state())


def test_the_scale_grows_again(monkeypatch):
    monkeypatch.setattr('mmseg.engine.loss_scaler.INTERVAL', 2)
    scaler, layer = LossScaler(), nn.Linear(2, 1)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    factors = []
    for _ in range(4):
        layer.weight.grad = torch.ones_like(layer.weight)
        scaler.unscale([optimizer])
        factors.append(float(scaler.factor) / INITIAL)
    assert factors == [1, 2, 2, 4]


def test_parameters_of_two_optimizers_are_unscaled_once():
    scaler, layer = LossScaler(), nn.Linear(2, 1)
    optimizers = [torch.optim.SGD(layer.parameters(), lr=0.1) for _ in range(2)]
    scaler.scale(layer(torch.ones(1, 2)).sum()).backward()
    scaler.unscale(optimizers)
    assert layer.weight.grad.tolist() == [[1, 1]]


def test_clipping_sees_the_unscaled_gradients():
    method = method_for('fp16')
    optim_wrapper = OptimWrapper(torch.optim.SGD(method.student.parameters(), lr=0.1), clip_grad={'max_norm': 1e3})
    before = [parameter.detach().clone() for parameter in method.student.parameters()]
    step(method, optim_wrapper)
    plain = method_for('fp32')
    step(plain, OptimWrapper(torch.optim.SGD(plain.student.parameters(), lr=0.1)))
    for ours, theirs, old in zip(method.student.parameters(), plain.student.parameters(), before, strict=True):
        torch.testing.assert_close(ours - old, theirs - old, rtol=0.05, atol=2e-3)


def test_several_optimizers_step_in_float16():
    uda = {'type': 'AdvSeg', 'adversarial_weight': {'main': 0.1}}
    method = method_for('fp16', uda)
    kinds = {'main': method.student, 'discriminator': method.model_D}
    wrappers = {name: OptimWrapper(torch.optim.SGD(module.parameters(), lr=0.01)) for name, module in kinds.items()}
    before = {name: next(iter(module.parameters())).detach().clone() for name, module in kinds.items()}
    batch = random_batch(size=(64, 96), dtype=torch.float32)
    log = method.train_step({'batch': batch}, OptimWrapperDict(**wrappers))
    for _ in range(5):  # the first scale is too large for these few pixels
        method.train_step({'batch': batch}, OptimWrapperDict(**wrappers))
    assert math.isfinite(float(log['D_src.loss.main']))
    for name, module in kinds.items():
        assert not torch.equal(next(iter(module.parameters())), before[name]), name
