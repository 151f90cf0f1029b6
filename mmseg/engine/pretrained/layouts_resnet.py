"""Key layouts of published ResNet, ResNeXt and ResNeSt weights.

Blocks bear the same names everywhere. The deep stem does not: one sequence ``stem`` at OpenMMLab, as here, and at timm
(and in ResNeSt's original files) a sequence ``conv1`` with its last norm, ``bn1``, outside.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

STEM_LENGTH = 7  # conv, norm, ReLU, conv, norm, ReLU, conv; the last norm is number 7


def convert_timm_deep_stem(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Renames ``conv1.N.`` and ``bn1.`` to ``stem.N.``; other keys stay."""
    converted = {}
    for key, value in state.items():
        renamed = re.sub(r'^conv1\.(\d)\.', r'stem.\1.', key)
        converted[re.sub(r'^bn1\.', f'stem.{STEM_LENGTH}.', renamed)] = value
    return converted
