"""DDB's head: its initialisation, and what it refuses."""

import pytest
import torch

from mmseg.models.decode_heads import DLV2AdapterHead

OPTIONS = {'in_channels': 8, 'channels': 64, 'num_classes': 5, 'norm_cfg': {'type': 'BN'}}


def test_the_published_start_leaves_the_branches_next_to_nothing():
    torch.manual_seed(0)
    head = DLV2AdapterHead(**OPTIONS)
    head.init_weights()
    scales = torch.cat([branch.bn.weight for branch in head.aspp_modules])
    assert (scales < 0).float().mean() == pytest.approx(0.5, abs=0.15)
    assert scales.std().item() == pytest.approx(0.01, rel=0.3)
    assert all((branch.bn.bias == 0).all() for branch in head.aspp_modules)
    assert torch.equal(head.bottleneck.bn.weight, torch.ones(64))
    # PyTorch's own start of a 1x1 convolution of 64 channels: uniform, up to 1/8.
    assert head.conv_seg.weight.std().item() == pytest.approx(1 / 8 / 3**0.5, rel=0.15)


def test_the_norms_may_start_at_one():
    head = DLV2AdapterHead(**OPTIONS, aspp_norm_init=False)
    head.init_weights()
    assert all((branch.bn.weight == 1).all() for branch in head.aspp_modules)
    assert head.aspp_modules[0].conv.weight.std().item() == pytest.approx(0.01, rel=0.1)


def test_works_without_dropout_and_without_norm():
    head = DLV2AdapterHead(**{**OPTIONS, 'norm_cfg': None}, dropout_ratio=0, aspp_norm_init=False, dilations=(1, 3))
    head.init_weights()
    assert head([torch.ones(1, 8, 4, 4)]).embedding.shape == (1, 64, 4, 4)


def test_channels_are_shared_equally():
    with pytest.raises(ValueError, match='channels=64 cannot be shared by 3 dilations'):
        DLV2AdapterHead(**OPTIONS, dilations=(1, 2, 3))
