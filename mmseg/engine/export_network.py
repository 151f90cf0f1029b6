"""What is exported: a segmentor with its normalisation inside, from bytes to scores."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmseg.models.precision import at_least_float32

OUTPUTS = ('logits', 'probabilities', 'labels')
"""What an exported network can give."""

INPUT_NAME = 'images'


class ExportableSegmentor(nn.Module):
    """RGB bytes in, class scores or labels out: nothing about means, channel orders or crops is left to the user.

    Bytes, because a float input would leave open whether it runs to 1 or to 255; RGB, because every image reader but
    OpenCV gives it.

    Args:
        preprocessor: a :class:`SegDataPreProcessor`; its mean, standard deviation and channel order are copied.
        segmentor: the trained network; its ``encode_decode`` is exported.
        output: one of ``OUTPUTS``.
        size_divisor: height and width must be multiples of it, or the exported network fails; 1 = they are free.

    Raises:
        ValueError: for an unknown output.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, preprocessor: nn.Module, segmentor: nn.Module, output: str = 'logits', size_divisor: int = 1):
        super().__init__()
        if output not in OUTPUTS:
            raise ValueError(f'unknown output {output!r} of an exported network; known: {", ".join(OUTPUTS)}')
        self.segmentor = segmentor
        self.output = output
        self.size_divisor = size_divisor
        # The preprocessor takes BGR: where it swaps, the network was trained on RGB.
        self.rgb = bool(preprocessor.bgr_to_rgb)
        for name in ('mean', 'std'):
            self.register_buffer(name, getattr(preprocessor, name).detach().clone(), persistent=False)
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        """Predict RGB images (B, 3, H, W), uint8.

        Returns:
            ``logits`` or ``probabilities``: (B, C, H, W) float32; ``labels``: (B, H, W) uint8, int64 for more than 256
            classes.
        """
        ordered = (images if self.rgb else images.flip(1)).to(self.mean.dtype)
        normalised = self._normalised_blocks(ordered) if self.size_divisor > 1 else (ordered - self.mean) / self.std
        return as_output(at_least_float32(self.segmentor.encode_decode(normalised)), self.output)  # type: ignore[operator]

    def _normalised_blocks(self, images: Tensor) -> Tensor:
        """Normalised in blocks, which exist for multiples of their side only: ONNX knows no other assertion."""
        side, (batch, channels, height, width) = self.size_divisor, images.shape
        for size in (height, width):
            torch._check(size % side == 0, lambda: f'height and width must be multiples of {side}')
        blocks = images.reshape(batch, channels, height // side, side, width // side, side)
        mean, std = self.mean[..., None, None], self.std[..., None, None]
        return ((blocks - mean) / std).reshape(batch, channels, height, width)


def as_output(logits: Tensor, output: str) -> Tensor:
    """Logits (B, C, H, W) as one of ``OUTPUTS``."""
    if output == 'labels':
        return logits.argmax(dim=1).to(torch.uint8 if logits.shape[1] <= 256 else torch.int64)
    return logits.softmax(dim=1) if output == 'probabilities' else logits
