"""Block masks: random squares of an image are blanked out.

Reference: MIC (Hoyer et al., "Masked Image Consistency for Context-Enhanced Domain Adaptation", CVPR 2023), 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmseg.registry import MODELS


@MODELS.register_module(name='block')
class BlockMask:
    """Blanks out each block of a grid with the same chance, independently for each image.

    Args:
        mask_ratio: r, share of the blocks that is blanked out.
        mask_block_size: b, side of a block in pixels; the published 64 is for 1024x1024 crops, 32 for 512x512.

    Raises:
        ValueError: for a ratio outside 0..1 or a block size below 1.
    """

    def __init__(self, mask_ratio: float = 0.7, mask_block_size: int = 64) -> None:
        if not 0 <= mask_ratio <= 1:
            raise ValueError(f'uda.masking.generator: mask_ratio is a share between 0 and 1, not {mask_ratio}')
        if mask_block_size < 1:
            raise ValueError(f'uda.masking.generator: mask_block_size is a number of pixels, not {mask_block_size}')
        self.mask_ratio = mask_ratio
        self.mask_block_size = mask_block_size

    def grid_size(self, size: Sequence[int]) -> tuple[int, int]:
        """Rows and columns of blocks in an image of ``size`` = (H, W): the nearest numbers, at least one block."""
        rows, columns = (max(1, round(side / self.mask_block_size)) for side in size)
        return rows, columns

    def draw(self, batch: int, size: Sequence[int], generator: torch.Generator) -> Tensor:
        """Which blocks stay, (batch, 1, rows, columns) bool on the CPU, for images of ``size`` = (H, W)."""
        return self.kept(torch.rand(batch, 1, *self.grid_size(size), generator=generator))

    def kept(self, uniform: Tensor) -> Tensor:
        """A block stays where its uniform random number is above the ratio."""
        return uniform > self.mask_ratio


def blank_out(images: Tensor, kept: Tensor) -> Tensor:
    """Set what is not kept to 0, the mean colour of normalised images.

    Args:
        images: (B, 3, H, W).
        kept: (B, 1, rows, columns), 0 or False where a block is blanked out.
    """
    mask = F.interpolate(kept.to(images, non_blocking=True), size=images.shape[2:], mode='nearest')
    return images * mask
