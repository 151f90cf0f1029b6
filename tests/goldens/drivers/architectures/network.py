"""Building the network of a case of part ``architectures``."""

from __future__ import annotations

import copy

from torch import nn

from mmseg.registry import MODELS
from tests.goldens.harness import Case, state_tensors


def build(case: Case) -> nn.Module:
    """The case's network in float64 with the case's weights, which must fit exactly."""
    network = MODELS.build(copy.deepcopy(case.meta['build']['cfg'])).double()
    network.load_state_dict(state_tensors(case.inputs['model']))
    return network
