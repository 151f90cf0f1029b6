"""ProDA's head: what its classifier sees, how it starts; and its encoder's rounding of sizes."""

import pytest
import torch

from mmseg.models.backbones import ResNet
from mmseg.models.decode_heads import ProDAHead


def head(**options):
    torch.manual_seed(0)
    settings = {'in_channels': 8, 'in_index': 0, 'channels': 6, 'num_classes': 3, 'dilations': (1, 2), 'norm_groups': 3}
    return ProDAHead(**{**settings, **options})


def test_embedding_is_signed_and_what_the_classifier_sees_even_with_dropout():
    module, features = head(dropout_ratio=0.5).train(), [torch.randn(2, 8, 5, 6)]
    out = module(features)
    assert out.embedding.min() < 0 < out.embedding.max()
    assert (out.embedding.flatten(2).abs().sum(dim=2) == 0).any(), 'whole channels are dropped'
    torch.testing.assert_close(out.logits['main'], module.conv_seg(out.embedding))
    assert module.conv_seg.bias is None


def test_channel_weights_depend_on_the_whole_image():
    module = head().channel_weights
    x = torch.rand(1, 12, 4, 4)
    factors = module(x) / x
    torch.testing.assert_close(factors, factors[:, :, :1, :1].expand_as(factors))
    assert ((factors > 0) & (factors < 1)).all()


def test_convolutions_start_small():
    module = head(channels=48)
    module.init_weights()
    for name in ('aspp_modules.1.conv', 'bottleneck.conv', 'conv_seg'):
        assert module.get_submodule(name).weight.std().item() == pytest.approx(0.01, rel=0.2)


@pytest.mark.parametrize(('ceil', 'size'), [(False, (8, 14)), (True, (9, 15))])
def test_ceil_pool_rounds_sizes_up(ceil, size):
    backbone = ResNet(
        depth=18, strides=(1, 2, 1, 1), out_indices=(3,), ceil_pool=ceil, base_channels=4, stem_channels=4
    )
    with torch.no_grad():
        assert backbone(torch.zeros(1, 3, 64, 112))[0].shape[2:] == size
