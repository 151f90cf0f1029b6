"""A 1x1 fusion at each level's own resolution equals that of the resized and concatenated levels."""

import pytest
import torch
from mmcv.cnn import ConvModule

from mmseg.models.decode_heads.linear_fusion import fuse
from mmseg.models.resize import resize
from tests.models.decode_heads.small_heads import CHANNELS, levels


def reference(layer, features, size, align_corners):
    return layer(torch.cat([resize(x, size, align_corners) for x in features], dim=1))


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('norm', ['BN', None])
@pytest.mark.parametrize('kernel_size', [1, 3])
def test_equals_fusion_of_the_concatenation(kernel_size, norm, align_corners):
    torch.manual_seed(0)
    norm_cfg = norm and {'type': norm}
    layer = ConvModule(sum(CHANNELS), 6, kernel_size, padding=kernel_size // 2, norm_cfg=norm_cfg).double()
    results = []
    for run in (fuse, reference):
        features = levels(torch.float64)
        layer.zero_grad()
        out = run(layer, features, (13, 18), align_corners)
        out.square().sum().backward()
        results.append([out.detach(), *(p.grad.clone() for p in layer.parameters()), *(x.grad for x in features)])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_layer_without_activation():
    layer = ConvModule(sum(CHANNELS), 6, 1, act_cfg=None).double()
    features = levels(torch.float64)
    torch.testing.assert_close(fuse(layer, features, (13, 18), False), reference(layer, features, (13, 18), False))


def test_other_layers_see_the_concatenation():
    features = levels(torch.float64)
    out = fuse(torch.nn.Identity(), features, (13, 18), False)
    assert out.shape == (2, sum(CHANNELS), 13, 18)
