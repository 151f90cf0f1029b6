"""Synchronised batch norms in place of plain ones, with all that these did."""

from types import SimpleNamespace

import pytest
import timm
import torch
from torch import nn

from mmseg.engine import runner as runner_module
from mmseg.engine.runner import Runner
from mmseg.engine.sync_batch_norm import synchronised

PLAIN = 'test_resnet'  # nn.BatchNorm2d and activations of their own
WITH_ACTIVATION = 'test_efficientnet'  # timm's BatchNormAct2d


def network(name):
    torch.manual_seed(0)
    made = timm.create_model(name, features_only=True, drop_path_rate=0.1)
    for norm in made.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.running_mean)
            norm.eps, norm.momentum = 1e-3, 0.03
    return made


def wrapped(model, monkeypatch):
    """What a run of several processes with GPUs makes of it."""
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(runner_module, 'get_device', lambda: 'cpu')
    return Runner.wrap_model(SimpleNamespace(cfg={'sync_bn': True}, distributed=True), None, model)


@pytest.mark.parametrize('name', [PLAIN, WITH_ACTIVATION])
def test_a_run_keeps_activations_weights_and_statistics(name, monkeypatch):
    images, model = torch.randn(2, 3, 64, 64), network(name).eval()
    expected, state = model(images), {key: value.clone() for key, value in model.state_dict().items()}
    parameters = dict(model.named_parameters())
    changed = wrapped(model, monkeypatch)
    norms = [module for module in changed.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    assert norms and all(isinstance(norm, nn.SyncBatchNorm) for norm in norms)
    assert {(norm.eps, norm.momentum, norm.affine) for norm in norms} == {(1e-3, 0.03, True)}
    torch.testing.assert_close(changed(images), expected, rtol=0, atol=0)
    torch.testing.assert_close(dict(changed.state_dict()), state, rtol=0, atol=0)
    assert all(value is parameters[key] for key, value in changed.named_parameters())


@pytest.mark.parametrize('old', [False, True])
def test_modes_and_frozen_weights_stay(old, monkeypatch):
    if old:  # timm 1.0.12 puts the new norms into training mode
        convert = timm.layers.convert_sync_batchnorm
        monkeypatch.setattr(timm.layers, 'convert_sync_batchnorm', lambda network: convert(network).train())
    model = nn.ModuleDict({'student': network(WITH_ACTIVATION).train(), 'frozen': network(WITH_ACTIVATION).eval()})
    model['frozen'].requires_grad_(False)
    changed = synchronised(model)
    assert {module.training for module in changed['student'].modules()} == {True}
    assert {module.training for module in changed['frozen'].modules()} == {False}
    assert not any(parameter.requires_grad for parameter in changed['frozen'].parameters())
