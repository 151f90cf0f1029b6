"""Trainings on a GPU, which the CPU pretends to be: nothing lies in the wrong place, and weights are as on a CPU."""

import pytest
import torch

from benchmarks._step_modes import build, without_weights
from benchmarks._synthetic import loader_batch
from mmseg.engine.config import load_config
from tests.models.uda import test_guided_training
from tests.models.uda.components.bank_files import write_bank
from tests.models.uda.test_host_reads import CONFIGS, LATER_STAGES
from tests.models.uda.toy import NUM_CLASSES
from tests.pretend_cuda import CUDA, DeviceTensor, pretend_cuda

CPU = torch.device('cpu')
# On a CPU, PMDAv2's tall convolutions take another way below 21 rows.
SIDES = {'hrda': 128, 'mic_hrda': 128, 'pmdav2': 192}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def weights_after_two_steps(name, device, mode='fp32'):
    cfg = without_weights(load_config(f'configs/demo/{name}.py').to_dict())
    method, optim_wrapper = build(cfg, mode, device)
    side = SIDES.get(name, 64)
    adapts = cfg['train_dataloader']['dataset']['type'] == 'UDADataset'
    torch.manual_seed(0)
    for number in range(2):
        batch = loader_batch((side, side), 2, method.student.num_classes, adapts, False, seed=number)
        method.train_step(batch, optim_wrapper)
    return method.state_dict()


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for key, value in found.items():
        assert isinstance(value, DeviceTensor), f'{key} was left on the host'
        torch.testing.assert_close(value.host, expected[key], msg=lambda text, key=key: f'{key}: {text}')


@pytest.mark.parametrize('name', CONFIGS)
def test_weights_are_those_of_a_cpu(name):
    expected = weights_after_two_steps(name, CPU)
    with pretend_cuda():
        found = weights_after_two_steps(name, CUDA)
    assert_same(found, expected)


def test_the_default_number_format():
    expected = weights_after_two_steps('daformer', CPU, 'bf16+channels_last')
    with pretend_cuda():
        found = weights_after_two_steps('daformer', CUDA, 'bf16+channels_last')
    assert_same(found, expected)


def gradients(method, batch, device):
    """Of the second of two steps, up to the update."""
    method.to(device)
    for domain in (batch.source, batch.target):
        for key, value in vars(domain).items():
            if isinstance(value, torch.Tensor):
                setattr(domain, key, value.to(device))
    torch.manual_seed(0)
    method.compute_gradients(batch)
    method.compute_gradients(batch)
    return {name: value.grad for name, value in method.named_parameters() if value.grad is not None}


@pytest.mark.parametrize('name', LATER_STAGES)
def test_gradients_of_later_stages(name):
    expected = gradients(*LATER_STAGES[name](), CPU)
    with pretend_cuda():
        found = gradients(*LATER_STAGES[name](), CUDA)
    assert_same(found, expected)


def test_gradients_with_depth_guidance(tmp_path):
    def guided(device):
        guidance = {'bank': str(tmp_path), **test_guided_training.ALWAYS}
        return gradients(test_guided_training.method_for(guidance), test_guided_training.batch_with_depth(), device)

    write_bank(tmp_path, num_classes=NUM_CLASSES, size=test_guided_training.SIZE)
    expected = guided(CPU)
    with pretend_cuda():
        found = guided(CUDA)
    assert_same(found, expected)


def test_what_cuda_refuses():
    host = torch.arange(4.0)
    with pretend_cuda():
        device = host.cuda()
        assert device.device == CUDA and torch.zeros(3, device='cuda').is_cuda and device.cpu().device == CPU
        assert (device * torch.tensor(2.0)).tolist() == [0, 2, 4, 6], 'single numbers of the host may take part'
        assert device[torch.tensor([1])].tolist() == [1], 'and indices'
        for refused in (
            lambda: device + host,
            lambda: host.add_(device),
            lambda: torch.cat([device, host]),
            lambda: device.index_put_((torch.tensor([1]),), host[:1]),
            lambda: torch.rand(3, device='cuda', generator=torch.Generator()),
            lambda: device.uniform_(generator=torch.Generator()),
            lambda: device.numpy(),
        ):
            with pytest.raises((RuntimeError, TypeError), match='host|generator|numpy'):
                refused()
