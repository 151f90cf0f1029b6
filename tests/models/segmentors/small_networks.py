"""Small encoders and networks for the tests of segmentors."""

import torch
from torch import nn

from mmseg.registry import MODELS

CLASSES = 4


class PointwiseEncoder(nn.Module):
    """Each pixel by itself: then windows, mirroring and whole images must agree exactly."""

    def __init__(self, channels=5, pretrained=None):
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 1)
        self.pretrained = pretrained

    def forward(self, x):
        return [self.conv(x).tanh()]


class TwoLevelEncoder(nn.Module):
    """Levels at strides 2 and 4, returned as a tuple."""

    def __init__(self, channels=(6, 8), pretrained=None):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, channels[0], 3, 2, 1), nn.BatchNorm2d(channels[0]), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(channels[0], channels[1], 3, 2, 1), nn.ReLU())
        self.pretrained = pretrained

    def forward(self, x):
        x = self.first(x)
        return x, self.second(x)


class NegatingNeck(nn.Module):
    """Marks the levels that went through it."""

    def forward(self, features):
        return [-x for x in features]


def fcn(in_channels, index=-1, **options):
    """A head of one 1x1 convolution on one level."""
    return {
        'type': 'FCNHead',
        'in_channels': in_channels,
        'in_index': index,
        'channels': 6,
        'num_convs': 1,
        'kernel_size': 1,
        'concat_input': False,
        'dropout_ratio': 0,
        'num_classes': CLASSES,
        **options,
    }


def build(seed=0, **changes):
    """A network in float64 on two levels."""
    torch.manual_seed(seed)
    config = {'type': 'EncoderDecoder', 'backbone': {'type': TwoLevelEncoder}, 'decode_head': fcn(8), **changes}
    return MODELS.build(config).double().eval()


def build_pointwise(**changes):
    """A network in float64 that works pixel by pixel."""
    return build(backbone={'type': PointwiseEncoder}, decode_head=fcn(5), **changes)


def images(*shape):
    """Random images in float64."""
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
