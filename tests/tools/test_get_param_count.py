"""Counts agree with what is counted by hand, by other means, and with the files that training writes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmseg.engine.model_size import count_macs, measure, size_of
from mmseg.models.uda import build_method
from mmseg.registry import MODELS
from tests.tools import tiny_run
from tools.get_param_count import main

ROOT = Path(__file__).resolve().parents[2]
DAFORMER = 'configs/daformer/gta2cs_uda_warm_fdthings_rcs_croppl_a999_daformer_mitb5_s0.py'
ADAMW = {'optimizer': {'type': 'AdamW', 'lr': 1e-4}}
SGD = {'optimizer': {'type': 'SGD', 'lr': 1e-4, 'momentum': 0.9}}
PARTS_OF_MODEL = ('type', 'backbone', 'decode_head', 'test_cfg')


def tiny_config(uda=None, **entries):
    return Config(
        {'model': tiny_run.model_config(), 'optim_wrapper': ADAMW, **({'uda': uda} if uda else {}), **entries}
    )


def macs_by_hand():
    """The two-level backbone and FCN head of the tiny run, for 32x48 pixels."""
    half, quarter = 16 * 24, 8 * 12
    backbone = half * 4 * 27 + quarter * 8 * 36
    # One convolution, the one that joins it with its input, the classifier.
    head = quarter * (4 * 72 + 4 * 12 * 9 + 3 * 4)
    return backbone, head


def test_parts_by_hand():
    size = measure(tiny_config(), (32, 48))
    assert size.parts['backbone'].parameters == (27 + 1) * 4 + (36 + 1) * 8
    assert size.student.parameters == sum(p.numel() for p in tiny_run.student().parameters())
    assert size.student.parameters == sum(part.parameters for part in size.parts.values())
    assert size.student.bytes == 4 * size.student.parameters
    backbone, head = macs_by_hand()
    assert size.macs == {'backbone': backbone, 'decode_head': head}


def test_operations_of_windows_count_as_often_as_they_are_predicted():
    cfg = tiny_config()
    whole = measure(cfg, (16, 24)).macs
    cfg.model.test_cfg = {'mode': 'slide', 'crop_size': (16, 24), 'stride': (8, 12)}
    nine_windows = measure(cfg, (32, 48)).macs
    assert nine_windows == {name: 9 * value for name, value in whole.items()}


def test_part_whose_methods_are_called_is_counted_by_its_layers(monkeypatch):
    """As HRDA uses its heads: without their ``forward``."""
    expected = measure(tiny_config(), (32, 48)).macs
    with torch.device('meta'):
        student = MODELS.build({key: value for key, value in tiny_run.model_config().items() if key in PARTS_OF_MODEL})
    monkeypatch.setattr(type(student.decode_head), '__call__', lambda head, features: head.forward(features))
    assert count_macs(student, (32, 48)) == expected


def test_attention_counts():
    """Scores and their use: each tokens x reduced tokens x channels."""
    options = {'embed_dims': (8,), 'num_heads': (2,), 'mlp_ratios': (1,), 'depths': (1,), 'sr_ratios': (1,)}
    with torch.device('meta'):
        network = MODELS.build(
            {
                'type': 'EncoderDecoder',
                'backbone': {'type': 'MixVisionTransformer', **options},
                'decode_head': {
                    'type': 'FCNHead', 'in_channels': 8, 'channels': 8, 'num_convs': 0, 'concat_input': False,
                    'num_classes': 2,
                },
            }
        )  # fmt: skip
    tokens = 8 * 12
    embedding, depthwise = tokens * 8 * 3 * 49, tokens * 8 * 9
    linear = tokens * 8 * 8 * (1 + 2 + 1 + 1 + 1)  # queries; keys and values; output; two layers after it
    assert count_macs(network, (32, 48))['backbone'] == embedding + depthwise + linear + 2 * tokens * tokens * 8


def test_statistics_and_what_is_not_trained():
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.BatchNorm2d(4))
    module[0].requires_grad_(False)
    module.register_buffer('scratch', torch.zeros(99), persistent=False)
    size = size_of(module)
    assert (size.parameters, size.trainable, size.buffers) == (16 + 8, 8, 4 + 4 + 1)
    assert size.bytes == 4 * (16 + 8 + 8) + 8


@pytest.mark.parametrize('optimizer', [ADAMW, SGD])
def test_method_is_what_its_checkpoint_holds(optimizer):
    cfg = tiny_config({'type': 'DACS'}, optim_wrapper=optimizer)
    size = measure(cfg, (16, 16), with_method=True)
    assert size.extras['ema_model'].parameters == size.student.parameters
    assert size.extras['ema_model'].trainable == 0
    method = build_method(cfg.to_dict())
    trained = [parameter for parameter in method.parameters() if parameter.requires_grad]
    real = torch.optim.AdamW(trained) if optimizer is ADAMW else torch.optim.SGD(trained, 0.1, momentum=0.9)
    for parameter in trained:
        parameter.grad = torch.zeros_like(parameter)
    real.step()
    states = [value for state in real.state.values() for value in state.values() if isinstance(value, torch.Tensor)]
    held = [*method.state_dict().values(), *states]
    assert size.checkpoint_bytes == sum(value.nbytes for value in held)
    moments = 2 if optimizer is ADAMW else 1
    counters = 4 * len(trained) if optimizer is ADAMW else 0
    assert size.optimizer_bytes == 4 * moments * size.student.parameters + counters


def test_published_daformer(capsys):
    """85.2 million parameters, and one table for several configs."""
    sizes = main([str(ROOT / DAFORMER), str(ROOT / 'configs/demo/dacs.py'), '--method', '--shape', '512', '512'])
    size = sizes[str(ROOT / DAFORMER)]
    assert size.parts['backbone'].parameters == pytest.approx(81.44e6, rel=1e-3)
    assert size.student.parameters == pytest.approx(85.16e6, rel=1e-3)
    assert set(size.extras) == {'ema_model', 'imnet_model'}
    # Frozen, in no checkpoint: student, teacher and two moments are.
    assert size.checkpoint_bytes == pytest.approx(4 * 4 * 85.2e6, rel=0.01)
    out = capsys.readouterr().out
    for text in ('85.16', '81.44', 'GMACs', 'ema_model', '512x512', Path(DAFORMER).stem):
        assert text in out


def test_every_kind_of_network_is_counted():
    for name in ('daformer_conv1_mitb5', 'deeplabv2red_r50-d8', 'danet_r50-d8', 'upernet_mit'):
        cfg = Config.fromfile(str(ROOT / 'configs/_base_/models' / f'{name}.py'))
        macs = measure(cfg, (64, 64)).macs
        assert {'backbone', 'decode_head'} <= set(macs), name
        assert min(macs.values()) > 0


def test_what_is_wrong_names_the_config(tmp_path):
    cfg = Config.fromfile(str(ROOT / DAFORMER))
    cfg.model.backbone.type = 'mit_b9'
    cfg.dump(str(tmp_path / 'wrong.py'))
    with pytest.raises(ValueError, match=r"wrong.py: .*'mit_b9'"):
        main([str(tmp_path / 'wrong.py')])
    with pytest.raises(ValueError, match=r'daformer.*too small for the encoder'):
        main([str(ROOT / DAFORMER), '--shape', '16', '16'])
