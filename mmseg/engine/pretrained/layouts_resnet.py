"""Key layouts of published ResNet, ResNeXt and ResNeSt weights.

Blocks bear the same names everywhere. The deep stem does not: one sequence ``stem`` at OpenMMLab, as here; at timm
(and in ResNeSt's original files) a sequence ``conv1`` with its last norm, ``bn1``, outside; three pairs in mmpretrain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

# SimCLRv2's converted TensorFlow weights: parts of a block by their place in its sequence.
SIMCLR = (
    (r'net\.0\.0\.', 'conv1.'),
    (r'net\.0\.1\.0\.', 'bn1.'),
    (r'net\.(\d)\.blocks\.(\d+)\.net\.0\.', r'layer\1.\2.conv1.'),
    (r'net\.(\d)\.blocks\.(\d+)\.net\.1\.0\.', r'layer\1.\2.bn1.'),
    (r'net\.(\d)\.blocks\.(\d+)\.net\.2\.', r'layer\1.\2.conv2.'),
    (r'net\.(\d)\.blocks\.(\d+)\.net\.3\.0\.', r'layer\1.\2.bn2.'),
    (r'net\.(\d)\.blocks\.(\d+)\.net\.4\.', r'layer\1.\2.conv3.'),
    (r'net\.(\d)\.blocks\.(\d+)\.net\.5\.0\.', r'layer\1.\2.bn3.'),
    (r'net\.(\d)\.blocks\.(\d+)\.projection\.shortcut\.', r'layer\1.\2.downsample.0.'),
    (r'net\.(\d)\.blocks\.(\d+)\.projection\.bn\.0\.', r'layer\1.\2.downsample.1.'),
)
STEM_STEP = 3  # conv, norm, ReLU
STEM_LENGTH = 7  # conv, norm, ReLU, conv, norm, ReLU, conv; the last norm is number 7


def convert_timm_deep_stem(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Renames ``conv1.N.`` and ``bn1.`` to ``stem.N.``; other keys stay."""
    converted = {}
    for key, value in state.items():
        renamed = re.sub(r'^conv1\.(\d)\.', r'stem.\1.', key)
        converted[re.sub(r'^bn1\.', f'stem.{STEM_LENGTH}.', renamed)] = value
    return converted


def convert_mmpretrain_deep_stem(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Renames ``stem.N.conv.`` and ``stem.N.bn.`` to places in one sequence; other keys stay."""
    converted = {}
    for key, value in state.items():
        found = re.fullmatch(r'stem\.(\d)\.(conv|bn)\.(.+)', key)
        if found is not None:
            place = STEM_STEP * int(found[1]) + (found[2] == 'bn')
            key = f'stem.{place}.{found[3]}'
        converted[key] = value
    return converted


def convert_simclr(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names of SimCLRv2's ResNet without selective kernels (Chen et al., NeurIPS 2020), converted from TensorFlow.

    Keys that are none of its layers stay as they are, so that loading reports them.
    """
    converted = {}
    for key, value in state.items():
        fitting = (re.sub(f'^{theirs}', ours, key) for theirs, ours in SIMCLR if re.match(theirs, key))
        converted[next(fitting, key)] = value
    return converted
