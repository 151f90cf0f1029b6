"""Whether an exported network does what the trained one does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmseg.engine.export_network import as_output
from mmseg.models.precision import at_least_float32
from mmseg.models.resize import resize


@dataclass(frozen=True)
class Agreement:
    """Exported and trained network on one batch.

    Attributes:
        shape: (B, 3, H, W) of the images.
        difference: largest absolute difference of the scores; of labels, by how much a score that the exported network
            chose lies below the best one.
        scale: largest absolute score.
        equal_labels: share of pixels with the same class.
    """

    shape: tuple[int, ...]
    difference: float
    scale: float
    equal_labels: float

    def holds(self, tolerance: float) -> bool:
        """Whether the difference is at most ``tolerance`` of the scale; not for NaN."""
        return self.difference <= tolerance * max(self.scale, 1.0)


def check_batches(batch: int, height: int, width: int, dynamic: bool, divisor: int = 1) -> Iterator[Tensor]:
    """RGB images (B, 3, H, W), uint8, the same on every machine: noise, smooth colours, black.

    A dynamic network also gets other batch sizes, other sizes (multiples of ``divisor``), both orientations.
    """
    generator = torch.Generator().manual_seed(0)

    def smooth(count: int, rows: int, columns: int) -> Tensor:
        coarse = torch.rand(count, 3, max(rows // 32, 2), max(columns // 32, 2), generator=generator)
        return (resize(coarse, (rows, columns)) * 255).to(torch.uint8)

    yield torch.randint(256, (batch, 3, height, width), generator=generator, dtype=torch.uint8)
    yield smooth(batch, height, width)
    yield torch.zeros(batch, 3, height, width, dtype=torch.uint8)
    if dynamic:
        yield smooth(1, height, width)
        yield smooth(batch + 2, height, width)
        yield smooth(1, *(side + (-(-more // divisor) * divisor) for side, more in ((height, 13), (width, 38))))
        yield smooth(2, width + divisor, height + divisor)


@torch.no_grad()
def trained_logits(preprocessor: nn.Module, segmentor: nn.Module, images: Tensor) -> Tensor:
    """Logits (B, C, H, W) of RGB images (B, 3, H, W) in the way that evaluation computes them: from BGR bytes."""
    normalised = preprocessor.normalize(images.flip(1))  # type: ignore[operator]
    return at_least_float32(segmentor.encode_decode(normalised))  # type: ignore[operator]


def agreement(images: Tensor, exported: Tensor, logits: Tensor, output: str) -> Agreement:
    """Compare an exported network's output with the trained one's logits (B, C, H, W) on the same images.

    Raises:
        ValueError: the output has another shape or type.
    """
    expected = as_output(logits, output)
    if exported.shape != expected.shape or exported.dtype != expected.dtype:
        raise ValueError(
            f'the exported network gives {exported.dtype} {tuple(exported.shape)} for images '
            f'{tuple(images.shape)}, the trained one {expected.dtype} {tuple(expected.shape)}'
        )
    if output == 'labels':
        scores, labels = logits, exported.long()
        chosen = logits.gather(1, labels.clamp(max=logits.shape[1] - 1)[:, None])[:, 0]
        difference = (logits.amax(dim=1) - chosen).max()
    else:
        scores, labels = expected, exported.argmax(dim=1)
        difference = (exported - expected).abs().max()
    equal = (labels == logits.argmax(dim=1)).double().mean()
    return Agreement(tuple(images.shape), difference.item(), scores.abs().max().item(), equal.item())
