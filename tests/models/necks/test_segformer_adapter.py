import pytest
import torch
import torch.nn.functional as F

from mmseg.registry import MODELS


def features():
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.randn(2, c, 32 // c, 48 // c, generator=generator) for c in (2, 4, 8, 16))


def test_default_upsamples_the_last_level():
    levels = features()
    out = MODELS.build({'type': 'SegFormerAdapter'})(levels)
    assert isinstance(out, list)
    assert all(ours is level for ours, level in zip(out[:3], levels[:3], strict=True))
    expected = F.interpolate(levels[3], scale_factor=4, mode='bilinear', align_corners=False)
    assert torch.equal(out[3], expected)
    assert levels[3].shape == (2, 16, 2, 3), 'the input is left alone'


def test_stacks_levels_in_the_given_order():
    levels = features()
    out = MODELS.build({'type': 'SegFormerAdapter', 'out_layers': [3, 2], 'scales': [2, 1]})(levels)[3]
    assert out.shape == (2, 24, 4, 6)
    assert torch.equal(out[:, 16:], levels[2])


def test_lengths_must_agree():
    with pytest.raises(ValueError, match='2 out_layers but 1 scales'):
        MODELS.build({'type': 'SegFormerAdapter', 'out_layers': [2, 3]})
