"""Domain discriminators: does a map of class probabilities come from a source or from a target image?

References: AdaptSegNet (Tsai et al., "Learning to Adapt Structured Output Space for Semantic Segmentation", CVPR 2018);
LSGAN (Mao et al., ICCV 2017) for the least-squares loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg.models.precision import at_least_float32

SOURCE, TARGET = 0.0, 1.0
LOSSES = ('LS', 'Vanilla')
WIDTHS = (64, 128, 256, 512)
SLOPE = 0.2


class Discriminator(nn.Module):
    """Five convolutions of stride 2: one score for each patch.

    Args:
        num_classes: C, channels of the probability map.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        channels = (num_classes, *WIDTHS, 1)
        names = (*(f'conv{number}' for number in range(1, len(WIDTHS) + 1)), 'classifier')
        for name, inputs, outputs in zip(names, channels[:-1], channels[1:], strict=True):
            self.add_module(name, nn.Conv2d(inputs, outputs, kernel_size=4, stride=2, padding=1))

    def forward(self, probabilities: Tensor) -> Tensor:
        """Scores (B, 1, H / 32, W / 32), high for target, of probabilities (B, C, H, W); sides of at least 32."""
        *hidden, classifier = self.children()
        for conv in hidden:
            probabilities = F.leaky_relu(conv(probabilities), SLOPE)
        return classifier(probabilities)


class AdversarialLoss:
    """How wrong it is to see one domain in the scores.

    Args:
        kind: ``LS`` = mean squared error of the raw scores; ``Vanilla`` = binary cross-entropy of their sigmoids.

    Raises:
        ValueError: for another kind.
    """

    def __init__(self, kind: str = 'LS') -> None:
        if kind not in LOSSES:
            raise ValueError(f'uda.discriminator_loss: {kind!r} does not exist, choose one of {", ".join(LOSSES)}')
        self.kind = kind

    def __call__(self, scores: Tensor, domain: float) -> Tensor:
        """Mean over patches; ``domain`` is ``SOURCE`` or ``TARGET``."""
        scores = at_least_float32(scores)
        wanted = torch.full_like(scores, domain)
        if self.kind == 'LS':
            return F.mse_loss(scores, wanted)
        return F.binary_cross_entropy_with_logits(scores, wanted)

    def probability(self, scores: Tensor) -> Tensor:
        """How far the scores say "target", 0 to 1 (a least-squares score may lie beyond)."""
        return scores if self.kind == 'LS' else scores.sigmoid()


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Gradients flow through the module but not into it."""
    module.requires_grad_(False)
    try:
        yield
    finally:
        module.requires_grad_(True)
