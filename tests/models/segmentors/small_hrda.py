"""Small HRDA networks: output stride 4, three strided convolutions as encoder."""

import torch
from torch import nn

from mmseg.registry import MODELS

CLASSES = 5


@MODELS.register_module()
class StridedEncoder(nn.Module):
    """Levels at strides 4 and 8, with or without batch statistics."""

    def __init__(self, norm=False, pretrained=None):
        super().__init__()
        norms = [nn.BatchNorm2d(6) if norm else nn.GroupNorm(2, 6) for _ in range(2)]
        self.first = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), norms[0], nn.GELU())
        self.second = nn.Sequential(nn.Conv2d(6, 6, 3, 2, 1), norms[1], nn.GELU())
        self.third = nn.Sequential(nn.Conv2d(6, 8, 3, 2, 1), nn.GELU())
        self.pretrained_loaded = True

    def forward(self, images):
        x = self.second(self.first(images))
        return [x, self.third(x)]


def hrda_config(norm=False, head=None, **changes):
    """A config; ``head`` changes settings of the head."""
    decode_head = {
        'type': 'HRDAHead',
        'single_scale_head': 'FCNHead',
        'in_channels': 6,
        'in_index': 0,
        'channels': 6,
        'num_convs': 1,
        'dropout_ratio': 0,
        'attention_embed_dim': 4,
        'hr_loss_weight': 0.25,
        'num_classes': CLASSES,
        **(head or {}),
    }
    return {
        'type': 'HRDAEncoderDecoder',
        'backbone': {'type': 'StridedEncoder', 'norm': norm},
        'decode_head': decode_head,
        'scales': [1, 0.5],
        'hr_crop_size': [32, 32],
        'feature_scale': 0.5,
        'crop_coord_divisible': 8,
        **changes,
    }


def build_hrda(seed=0, **changes):
    """A network in float64, in evaluation mode."""
    torch.manual_seed(seed)
    return MODELS.build(hrda_config(**changes)).double().eval()
