import pytest
import torch
from torch import nn

from mmseg.engine.legacy_checkpoint import load_student
from mmseg.models.segmentors import EncoderDecoder

HEAD = {'type': 'DLV2Head', 'in_channels': 512, 'num_classes': 3, 'dilations': (6, 12)}


def network(seed):
    torch.manual_seed(seed)
    return EncoderDecoder({'type': 'ResNet', 'depth': 18, 'out_indices': (3,)}, HEAD)


def as_proca(model, counters=True):
    state = {key: value for key, value in model.state_dict().items() if counters or 'num_batches' not in key}
    names = {key: key.replace('decode_head.aspp_modules', 'conv2d_list').replace('.conv.', '.') for key in state}
    return {
        'iteration': 7,
        'feature_extractor': {f'module.{key}': value for key, value in state.items() if key.startswith('backbone.')},
        'classifier': {f'module.{names[key]}': value for key, value in state.items() if key.startswith('decode_head.')},
        'optimizer_fea': {'state': {}},
    }


@pytest.mark.parametrize('counters', [True, False])
def test_checkpoint_of_proca_loads(tmp_path, counters):
    theirs, ours = network(1), network(2)
    torch.save(as_proca(theirs, counters), tmp_path / 'model_best.pth')
    load_student(ours, tmp_path / 'model_best.pth')
    for key, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[key], value), key


def test_networks_that_are_something_else(tmp_path):
    checkpoint = as_proca(network(1))
    checkpoint['classifier']['module.head.weight'] = torch.zeros(1)
    torch.save(checkpoint, tmp_path / 'model.pth')
    with pytest.raises(ValueError, match=r'model.pth: classifier holds module.head.weight'):
        load_student(nn.Identity(), tmp_path / 'model.pth')
