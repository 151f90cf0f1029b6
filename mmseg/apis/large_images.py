"""Predictions at the size of a photograph, without its class scores in memory.

The scores of 19 classes on 24 million pixels fill 1.8 GB, several times over while they are averaged. The network's
own output is far smaller, so it is enlarged band by band, and only the label map is kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg.models.segmentors.encoder_decoder import mirror

# Numbers (classes x pixels) beyond which an image counts as large, and that a band may hold: 512 and 64 MB in float32.
LARGE = 2**27
BAND = 2**24


def is_large(size: Sequence[int], num_classes: int) -> bool:
    """Whether class scores at this size (H, W) are better not held as a whole."""
    return size[0] * size[1] * num_classes > LARGE


@torch.no_grad()
def predict_in_bands(model: nn.Module, scales: Sequence[Tensor], size: Sequence[int], band: int = BAND) -> list[Tensor]:
    """What ``EncoderDecoder.predict`` gives, to rounding.

    Args:
        model: the segmentor.
        scales: one (B, 3, h, w) per scale, normalised.
        size: height and width of the result.
        band: numbers of class scores held at once.

    Returns:
        B label maps (1, H, W) on the CPU.
    """
    logits = []
    for images in scales:
        logits.append(model.inference_logits(images))
        if model.inference_options.flip_tta:
            mirrored = model.inference_logits(mirror(images, 'horizontal'))
            logits.append(mirror(mirrored, 'horizontal'))
    height, width = size
    batch, classes = logits[0].shape[:2]
    rows = max(1, band // (batch * classes * width))
    bands = []
    for top in range(0, height, rows):
        some = torch.arange(top, min(top + rows, height), device=logits[0].device)
        scores = [resize_rows(one, size, some, model.align_corners) for one in logits]
        # A single prediction's largest score is its largest probability.
        total = scores[0] if len(scores) == 1 else sum(one.softmax(dim=1) for one in scores)
        # On a CPU max() finds the class several times faster than argmax().
        labels = total.max(dim=1, keepdim=True).indices
        bands.append(labels.to(torch.uint8 if classes <= 256 else torch.int64).cpu())
    return list(torch.cat(bands, dim=2))


def resize_rows(x: Tensor, size: Sequence[int], rows: Tensor, align_corners: bool) -> Tensor:
    """Some rows of a map that is resized bilinearly.

    Args:
        x: (B, C, h, w).
        size: height and width that the whole is resized to.
        rows: (n,) which rows of the result.
        align_corners: as in ``torch.nn.functional.interpolate``.

    Returns:
        (B, C, n, W).
    """
    source, height = x.shape[2], size[0]
    rows = rows.to(x.dtype)
    if align_corners:
        place = rows * ((source - 1) / max(height - 1, 1))
    else:
        place = ((rows + 0.5) * (source / height) - 0.5).clamp(min=0)
    above = place.floor().long().clamp(max=source - 1)
    below = (above + 1).clamp(max=source - 1)
    share = (place - above).to(x.dtype)[:, None]
    mixed = x[:, :, above] * (1 - share) + x[:, :, below] * share
    return F.interpolate(mixed, size=(len(rows), size[1]), mode='bilinear', align_corners=align_corners)
