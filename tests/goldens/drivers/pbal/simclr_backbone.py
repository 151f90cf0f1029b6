"""SimCLRv2's weights in its own key names, in an ordinary ResNet-101."""

import torch

from mmseg.engine.pretrained import load_complete, read_pretrained
from mmseg.models.backbones import ResNet
from tests.goldens.drivers.pbal import networks
from tests.goldens.harness import state_tensors


def run(case):
    assert case.meta['options']['output_stride'] == 32  # of an ordinary ResNet
    state = state_tensors(case.inputs['simclr'])
    backbone = ResNet(depth=101, out_indices=(3,)).double()
    converted = converted_file(state)
    load_complete(backbone, {key: value for key, value in converted.items() if not key.startswith('fc.')}, 'simclr')
    with torch.no_grad():
        networks.check(case, 'c5', backbone.eval()(case.tensor('image'))[0])


def converted_file(state):
    """Through a file of the public converter's form."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'r101_1x_sk0.pth'
        torch.save({'resnet': state, 'head': {'layers.0.weight': torch.zeros(1)}}, path)
        return read_pretrained(path)
