"""Entropy of a prediction: how undecided the network is, pixel by pixel.

Reference: ADVENT (Vu et al., CVPR 2019), equations 2 and 3.
"""

from __future__ import annotations

import math

from torch import Tensor

EPS = 1e-30  # a probability of 0 counts nothing


def normalized_entropy(probabilities: Tensor) -> Tensor:
    """(B, H, W) entropy of class probabilities (B, C, H, W), 0 = certain to 1 = all C classes alike."""
    return -(probabilities * (probabilities + EPS).log2()).sum(dim=1) / math.log2(probabilities.shape[1])
