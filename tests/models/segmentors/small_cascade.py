"""Small cascades on the encoder of the small HRDA networks: levels at strides 4 and 8."""

import torch

from mmseg.registry import MODELS
from tests.models.segmentors.small_hrda import CLASSES
from tests.models.segmentors.small_networks import fcn

BN = {'type': 'BN', 'requires_grad': True}
# The first stage: one convolution on the finer level.
COARSE = fcn(6, index=0, norm_cfg=BN, num_classes=CLASSES, loss_decode={'type': 'CrossEntropyLoss', 'loss_weight': 0.4})
FINE = {
    'type': 'PMDAV2',
    'in_channels': 8,
    'in_index': 1,
    'channels': 6,
    'bottleneck_kernel_size': [3, 5],
    'branches_groups': 2,
    'feat_channels': 4,
    'dropout_ratio': 0,
    'num_classes': CLASSES,
    'norm_cfg': BN,
}


def cascade_config(heads=(COARSE, FINE), **changes):
    """A config; ``heads`` are the stages."""
    return {
        'type': 'CascadeEncoderDecoder',
        'num_stages': len(heads),
        'backbone': {'type': 'StridedEncoder', 'norm': True},
        'decode_head': [dict(head) for head in heads],
        **changes,
    }


def build_cascade(seed=0, **changes):
    """A network in float64, in evaluation mode."""
    torch.manual_seed(seed)
    return MODELS.build(cascade_config(**changes)).double().eval()
