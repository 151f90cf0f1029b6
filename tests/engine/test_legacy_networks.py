import numpy as np
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


def proda(seed, clr=True):
    torch.manual_seed(seed)
    head = {'type': 'ProDAHead', 'in_channels': 512, 'channels': 4, 'num_classes': 3, 'norm_groups': 2}
    neck = {'type': 'LevelNorm', 'channels': 512} if clr else None
    return EncoderDecoder({'type': 'ResNet', 'depth': 18, 'out_indices': (3,), 'ceil_pool': True}, head, neck=neck)


def as_proda(model):
    """The names that ProDA's code gives these layers."""
    names = (
        ('decode_head.aspp_modules', 'layer5.conv2d_list'),
        ('decode_head.channel_weights', 'layer5.bottleneck.0.se'),
        ('decode_head.bottleneck.conv', 'layer5.bottleneck.1'),
        ('decode_head.bottleneck.gn', 'layer5.bottleneck.2'),
        ('decode_head.conv_seg', 'layer5.head.1'),
        ('neck.norm', 'bn_pretrain'),
        ('backbone.', ''),
        ('.conv.', '.0.'),
        ('.gn.', '.1.'),
    )
    state = {}
    for key, value in model.state_dict().items():
        for ours, theirs in names:
            key = key.replace(ours, theirs)
        state[key] = value
    return {'ResNet101': {'model_state': state, 'objective_vectors': torch.zeros(3, 4)}, 'iter': 1, 'best_iou': 0.5}


@pytest.mark.parametrize('clr', [True, False])
def test_checkpoint_of_proda_loads(tmp_path, clr):
    theirs, ours = proda(1, clr), proda(2, clr)
    torch.save(as_proda(theirs), tmp_path / 'from_gta5_to_cityscapes_on_deeplabv2_best_model.pkl')
    load_student(ours, tmp_path / 'from_gta5_to_cityscapes_on_deeplabv2_best_model.pkl')
    for key, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[key], value), key


PBAL_NETWORK = (
    {'type': 'ResNet', 'depth': 18, 'out_indices': (0, 3)},
    {
        'type': 'PBALDeepLabV3PlusHead',
        'in_channels': (64, 512),
        'channels': 8,
        'low_channels': 4,
        'num_classes': 3,
    },
)


def as_pbal(model):
    """The layout of PBAL's files, with NumPy's score and what optimizers and schedules remember."""
    ours = {'decode_head.aspp.': 'aspp.', 'decode_head.conv_seg.': 'decoder.head.', 'decode_head.': 'decoder.'}
    state = {}
    for key, value in model.state_dict().items():
        prefix = next((prefix for prefix in ours if key.startswith(prefix)), '')
        state[ours.get(prefix, '') + key.removeprefix(prefix)] = value
    other = {'optimizer_state': {'state': {}}, 'scheduler_state': {'last_epoch': 3}}
    return {
        'iter': 4000,
        'best_iou': np.float64(0.41),
        'DeepLab': {'model_state': state, **other},
        'FCDiscriminator': {'model_state': {'conv1.weight': torch.zeros(64, 3, 4, 4)}, **other},
    }


def test_checkpoint_of_pbal_loads_strictly(tmp_path):
    models = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        models.append(EncoderDecoder(*PBAL_NETWORK))
    theirs, ours = models
    checkpoint, path = as_pbal(theirs), tmp_path / 'from_gta5_to_cityscapes_on_deeplab101_best_model.pkl'
    torch.save(checkpoint, path)
    load_student(ours, path)
    for key, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[key], value), key
    state = checkpoint['DeepLab']['model_state']
    del state['decoder.fuse_conv.0.weight']
    torch.save(checkpoint, path)
    with pytest.raises(ValueError, match=r'best_model.pkl: does not fit.* 1 missing \(decode_head.fuse_conv.0.weight'):
        load_student(ours, path)
    state['psp.weight'] = torch.zeros(1)
    torch.save(checkpoint, path)
    with pytest.raises(ValueError, match='DeepLab holds psp.weight, which belongs to no network'):
        load_student(ours, path)
