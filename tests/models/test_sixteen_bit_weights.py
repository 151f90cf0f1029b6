"""Weights cast together are those that autocast would have cast one by one: outputs and gradients to the bit."""

import gc
from contextlib import nullcontext

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import mmseg.models.segmentors.encoder_decoder as encoder_decoder
import mmseg.models.segmentors.hrda_encoder_decoder as hrda_encoder_decoder
import mmseg.models.uda.components.frozen_encoder as frozen_encoder
from benchmarks._step_modes import build, without_weights
from benchmarks._synthetic import loader_batch
from mmseg.engine.config import load_config
from mmseg.models.sixteen_bit_weights import cast_together
from mmseg.registry import MODELS

CPU = torch.device('cpu')
SMALL_MIT = {
    'type': 'MixVisionTransformer', 'embed_dims': (8, 16, 24, 32), 'depths': (1, 1, 1, 1), 'num_heads': (1, 2, 2, 4),
    'qkv_bias': True,
}  # fmt: skip
ENCODERS = {
    'transformer': SMALL_MIT,
    'transformer, recomputed': {**SMALL_MIT, 'with_cp': True},
    'ResNet': {'type': 'ResNetV1c', 'depth': 18},
    'ResNet, first stages frozen': {'type': 'ResNetV1c', 'depth': 18, 'frozen_stages': 1},
    'EfficientNet': {'type': 'TIMMBackbone', 'model_name': 'tf_efficientnet_lite0'},
    'ConvNeXt': {'type': 'TIMMBackbone', 'model_name': 'convnext_atto'},
    'Swin': {'type': 'TIMMBackbone', 'model_name': 'swin_tiny_patch4_window7_224', 'img_size': 64, 'depths': (1,) * 4},
}


class Casts(TorchDispatchMode):
    """Counts how often one of the given tensors is cast on its own."""

    def __init__(self, tensors):
        super().__init__()
        self.addresses = {tensor.data_ptr() for tensor in tensors}
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.name() == 'aten::_to_copy':
            self.count += args[0].data_ptr() in self.addresses
        return func(*args, **(kwargs or {}))


def passes(encoder, together, dtype=torch.bfloat16, number=2):
    """Levels of the last of a few passes, and the gradients of all."""
    encoder.zero_grad()
    torch.manual_seed(0)
    images = torch.randn(number, 2, 3, 64, 64)
    for one in images:
        with torch.autocast('cpu', dtype), cast_together(encoder, CPU) if together else nullcontext():
            levels = list(encoder(one))
        sum(level.float().square().mean() for level in levels).backward()
    return levels, {name: weight.grad for name, weight in encoder.named_parameters()}


def assert_equal(found, expected):
    levels, gradients = found
    for ours, theirs in zip(levels, expected[0], strict=True):
        assert torch.equal(ours, theirs) and ours.dtype == theirs.dtype
    for name, gradient in expected[1].items():
        assert (gradient is None) == (gradients[name] is None), name
        assert gradient is None or (torch.equal(gradients[name], gradient) and gradients[name].dtype == torch.float32)


def built(name):
    torch.manual_seed(0)
    return MODELS.build(dict(ENCODERS[name])).train()


@pytest.mark.parametrize('name', ENCODERS)
def test_levels_and_gradients_are_autocasts(name):
    assert_equal(passes(built(name), True), passes(built(name), False))


def test_float16_and_channels_last():
    encoder = built('EfficientNet').to(memory_format=torch.channels_last)
    other = built('EfficientNet').to(memory_format=torch.channels_last)
    assert_equal(passes(encoder, True, torch.float16), passes(other, False, torch.float16))


@pytest.mark.parametrize('name', ['transformer', 'EfficientNet', 'ResNet'])
def test_no_weight_of_a_layer_is_cast_on_its_own(name):
    encoder = built(name)
    weights = list(encoder.parameters())
    with Casts(weights) as apart:
        passes(encoder, False, number=1)
    with Casts(weights) as together:
        passes(encoder, True, number=1)
    assert apart.count > 10 and together.count == 0


def test_without_autocast_nothing_changes():
    encoder = built('transformer')
    before = [id(weight) for weight in encoder.parameters()]
    with cast_together(encoder, CPU):
        assert [id(weight) for weight in encoder.parameters()] == before
    with torch.autocast('cpu', torch.bfloat16), cast_together(encoder, torch.device('meta')):
        assert [id(weight) for weight in encoder.parameters()] == before


def test_weights_are_back_after_an_error():
    encoder = built('transformer')
    before = {name: id(weight) for name, weight in encoder.named_parameters()}
    context = torch.autocast('cpu', torch.bfloat16)
    with pytest.raises(ValueError, match='too small'), context, cast_together(encoder, CPU):
        assert encoder.block1[0].attn.q.weight.dtype == torch.bfloat16
        encoder(torch.zeros(1, 3, 8, 8))
    assert {name: id(weight) for name, weight in encoder.named_parameters()} == before


class Standardised(nn.Conv2d):
    """Weights are used in full precision first."""

    def forward(self, x):
        return self._conv_forward(x, self.weight - self.weight.mean(), self.bias)


def test_layers_with_a_forward_of_their_own_and_shared_weights():
    torch.manual_seed(0)
    encoder = nn.Sequential(Standardised(3, 8, 3), nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1), nn.Flatten(1))
    encoder[2].weight = encoder[1].weight
    expected = passes(encoder, False)
    gradients = {name: gradient.clone() for name, gradient in expected[1].items()}
    assert_equal(passes(encoder, True), (expected[0], gradients))
    with torch.autocast('cpu', torch.bfloat16), cast_together(encoder, CPU):
        assert encoder[0].weight.dtype == torch.float32
        assert encoder[1].weight is encoder[2].weight and encoder[1].weight.dtype == torch.bfloat16


def test_a_compiled_encoder_casts_for_itself():
    encoder = nn.Sequential(nn.Conv2d(3, 8, 3))
    encoder.compile(backend='eager')
    with torch.autocast('cpu', torch.bfloat16), cast_together(encoder, CPU):
        assert encoder[0].weight.dtype == torch.float32


@pytest.mark.parametrize(
    ('config', 'side'), [('daformer', 64), ('mic', 64), ('pmdav2', 64), ('advseg', 64), ('hrda', 128)]
)
def test_steps_of_methods_are_the_same(config, side, monkeypatch):
    states = []
    for together in (True, False):
        if not together:
            for module in (encoder_decoder, hrda_encoder_decoder, frozen_encoder):
                monkeypatch.setattr(module, 'cast_together', lambda *args: nullcontext())
        cfg = without_weights(load_config(f'configs/demo/{config}.py').to_dict())
        method, optim_wrapper = build(cfg, 'bf16', CPU)
        torch.manual_seed(0)
        for number in range(2):
            method.train_step(loader_batch((side, side), 2, 19, True, False, seed=number), optim_wrapper)
        states.append(method.state_dict())
        del method, optim_wrapper
        gc.collect()
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())
