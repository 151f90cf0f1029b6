"""Building modules and networks of a case of part ``pmdav2`` in float64 with the case's weights."""

from __future__ import annotations

import copy
from typing import Any

from torch import nn

from mmseg.registry import MODELS
from tests.goldens.harness import Case, state_tensors

CONV = {'norm_cfg': {'type': 'BN', 'requires_grad': True}, 'act_cfg': {'type': 'ReLU'}, 'conv_cfg': None}


def with_weights(case: Case, module: nn.Module) -> Any:
    """The module in float64 and the case's mode, with the case's weights, which must fit exactly."""
    module = module.double().train(case.meta.get('mode') == 'train')
    module.load_state_dict(state_tensors(case.inputs['model']))
    return module


def segmentor(case: Case) -> Any:
    """The case's cascade, in eval mode."""
    return with_weights(case, MODELS.build(copy.deepcopy(case.meta['model'])))
