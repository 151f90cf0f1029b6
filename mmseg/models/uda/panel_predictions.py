"""What a network predicted, as tensors for the training panel."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mmseg.models.detail_crop import paste
from mmseg.models.resize import resize
from mmseg.structures import IGNORE, SegOutput


@torch.no_grad()
def prediction_panel(name: str, out: SegOutput, size: Sequence[int]) -> dict[str, Tensor]:
    """Label maps (B, H, W) of a pass, and for HRDA what its two scales say and where the detail counts.

    Args:
        name: of the images, first part of the entries' names.
        out: of the student.
        size: height and width of the images.

    Returns:
        ``<name>_prediction``; of HRDA also ``_context_prediction``, ``_detail_prediction`` (255 outside the detail
        crop) and ``_detail_attention``, from 0 to 1, of the predicted classes.
    """
    main = resize(out.logits['main'], size)
    panel = {f'{name}_prediction': main.argmax(dim=1)}
    if 'attention' in out.logits:
        panel[f'{name}_context_prediction'] = resize(out.logits['context'], size).argmax(dim=1)
        panel[f'{name}_detail_prediction'] = _detail_labels(out, size)
        attention = resize(out.logits['attention'], size)
        panel[f'{name}_detail_attention'] = (attention * main.softmax(dim=1)).sum(dim=1)
    return panel


def _detail_labels(out: SegOutput, size: Sequence[int]) -> Tensor:
    logits, box = out.logits['hr'], out.crop_box
    if box is None:
        return resize(logits, size).argmax(dim=1)
    cropped = resize(logits, [int(box[1] - box[0]), int(box[3] - box[2])]).argmax(dim=1, keepdim=True)
    # Pasting fills with zeros, so labels are shifted by what is to be there.
    return (paste(cropped - IGNORE, box, size) + IGNORE)[:, 0]
