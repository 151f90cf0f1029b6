"""SimCLRv2's weights as the public converter writes them."""

import re

import pytest
import torch

from mmseg.engine.pretrained import fetch, load_pretrained, read_encoder
from mmseg.registry import MODELS
from tests.engine.pretrained_layouts import random_state

PARTS = {'conv1': '0', 'bn1': '1.0', 'conv2': '2', 'bn2': '3.0', 'conv3': '4', 'bn3': '5.0'}


def to_simclr(state):
    foreign = {}
    for key, value in state.items():
        if key.startswith(('conv1.', 'bn1.')):
            foreign[key.replace('conv1.', 'net.0.0.').replace('bn1.', 'net.0.1.0.')] = value
            continue
        stage, block, part, rest = re.fullmatch(r'layer(\d)\.(\d+)\.(downsample\.\d|\w+)\.(.+)', key).groups()
        place = {'downsample.0': 'projection.shortcut', 'downsample.1': 'projection.bn.0'}.get(part)
        place = place or f'net.{PARTS[part]}'
        foreign[f'net.{stage}.blocks.{block}.{place}.{rest}'] = value
    return foreign


def build(**options):
    return MODELS.build({'type': 'ResNet', 'depth': 50, 'base_channels': 8, 'stem_channels': 8, **options})


@pytest.mark.parametrize('style', ['pytorch', 'caffe'])
def test_file_of_the_converter_loads(tmp_path, style):
    module = build(style=style)
    state = random_state(module)
    classifier = {'fc.weight': torch.zeros(10, 256), 'fc.bias': torch.zeros(10)}
    path = tmp_path / 'r101_1x_sk0.pth'
    torch.save({'resnet': to_simclr(state) | classifier, 'head': {'layers.0.weight': torch.zeros(1)}}, path)
    load_pretrained(module, str(path))
    assert all(torch.equal(module.state_dict()[key], value) for key, value in state.items())
    found = read_encoder(path)
    assert found.layout.name.startswith('SimCLRv2') and found.head == ('fc.weight', 'fc.bias')


def test_selective_kernels_are_another_network(tmp_path):
    """Those of r101_1x_sk1 have layers that a ResNet lacks: they are named, not dropped."""
    state = to_simclr(random_state(build()))
    state['net.1.blocks.0.net.2.0.weight'] = state.pop('net.1.blocks.0.net.2.weight')
    torch.save({'resnet': state, 'head': {}}, tmp_path / 'r101_1x_sk1.pth')
    with pytest.raises(ValueError, match=r'r101_1x_sk1.pth: does not fit the network of the config: 1 missing'):
        load_pretrained(build(), str(tmp_path / 'r101_1x_sk1.pth'))


def test_its_address(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(fetch, '_download', lambda address, folder: asked.append(address) or tmp_path / 'none.pth')
    with pytest.raises(FileNotFoundError, match='none.pth'):
        fetch.fetch('simclr_r101_1x_sk0', tmp_path)
    repository = 'https://huggingface.co/lightly-ai/simclrv2-imagenet1k-r101_1x_sk0'
    assert asked == [f'{repository}/resolve/main/r101_1x_sk0.pth']
