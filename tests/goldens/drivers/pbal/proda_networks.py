"""ProDA's network for a case, filled by the original's keys."""

from __future__ import annotations

from mmseg.engine.legacy_checkpoint import load_strictly, state_dict_of
from mmseg.engine.legacy_networks import PRODA, our_name
from mmseg.models.segmentors import EncoderDecoder
from tests.goldens.harness import Case, state_tensors


def config(classes: int, bn_clr: bool, dropout: float = 0.0) -> dict:
    """Config of ProDA's segmentor."""
    return {
        'backbone': {
            'type': 'ResNet',
            'depth': 101,
            'strides': (1, 2, 1, 1),
            'dilations': (1, 1, 2, 4),
            'out_indices': (3,),
            'style': 'caffe',
            'ceil_pool': True,
        },
        'neck': {'type': 'LevelNorm', 'channels': 2048} if bn_clr else None,
        'decode_head': {
            'type': 'ProDAHead',
            'in_channels': 2048,
            'in_index': 0,
            'channels': 256,
            'num_classes': classes,
            'dropout_ratio': dropout,
            'align_corners': True,
            'loss_decode': {'type': 'CrossEntropyLoss', 'avg_non_ignore': True},
        },
    }


def build(case: Case, role: str, dropout: float = 0.0) -> EncoderDecoder:
    """One of the case's networks in float64 with its weights, which must fit exactly."""
    state = state_tensors(case.inputs[role])
    classes, bn_clr = len(state['layer5.head.1.weight']), 'bn_pretrain.weight' in state
    network = EncoderDecoder(**config(classes, bn_clr, dropout)).double()
    # As the original saves it.
    load_strictly(network, state_dict_of({'ResNet101': {'model_state': state, 'objective_vectors': 0}, 'iter': 1}))
    return network


def name_in_segmentor(name: str) -> str:
    """A key of the original's network as a key of the segmentor."""
    return our_name(name, 'ResNet101', PRODA['ResNet101'])
