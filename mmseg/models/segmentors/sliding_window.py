"""Prediction of a large image window by window."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mmseg.models.precision import at_least_float32

Box = tuple[int, int, int, int]


def _intervals(length: int, crop: int, stride: int) -> list[tuple[int, int]]:
    """Starts and ends of windows along one axis; the last is shifted back to the border, a window is never longer."""
    count = max(length - crop + stride - 1, 0) // stride + 1
    ends = [min(i * stride + crop, length) for i in range(count)]
    return [(max(end - crop, 0), end) for end in ends]


def window_boxes(height: int, width: int, crop_size: Sequence[int], stride: Sequence[int]) -> list[Box]:
    """Windows (y1, y2, x1, x2) that cover an image, row by row, all of the same size.

    Args:
        height: of the image.
        width: of the image.
        crop_size: height and width of a window; one that exceeds the image shrinks to it.
        stride: distance of neighbouring windows, vertical and horizontal.
    """
    rows = _intervals(height, crop_size[0], stride[0])
    columns = _intervals(width, crop_size[1], stride[1])
    return [row + column for row in rows for column in columns]


def cut_windows(images: Tensor, boxes: Sequence[Box]) -> Tensor:
    """The windows of (B, C, H, W) as one batch, window-major: window 0 of all images, window 1 of all images, ..."""
    return torch.cat([images[:, :, y1:y2, x1:x2] for y1, y2, x1, x2 in boxes])


def merge_windows(windows: Sequence[Tensor], boxes: Sequence[Box], size: Sequence[int]) -> Tensor:
    """Average of overlapping windows.

    Args:
        windows: one (B, C, h, w) per box.
        boxes: where they lie; together they cover everything.
        size: height and width of the whole.

    Returns:
        (B, C, H, W), in float32 where the windows have 16 bits.
    """
    first = at_least_float32(windows[0])
    canvas = first.new_zeros(*first.shape[:2], *size)
    count = first.new_zeros(*size)
    for window, (y1, y2, x1, x2) in zip(windows, boxes, strict=True):
        canvas[:, :, y1:y2, x1:x2] += window
        count[y1:y2, x1:x2] += 1
    return canvas / count


def slide(
    images: Tensor,
    predict: Callable[[Tensor], Tensor],
    crop_size: Sequence[int],
    stride: Sequence[int],
    batched: bool = False,
) -> Tensor:
    """Predict windows of the images and average the logits where they overlap.

    Args:
        images: (B, 3, H, W).
        predict: gives logits (N, C, h, w) of windows (N, 3, h, w).
        crop_size: height and width of a window.
        stride: distance of neighbouring windows.
        batched: predict all windows in one batch: faster, more memory, the same result in evaluation mode.

    Returns:
        logits (B, C, H, W).
    """
    boxes = window_boxes(*images.shape[2:], crop_size, stride)
    if batched:
        windows = predict(cut_windows(images, boxes)).split(len(images))
    else:
        windows = [predict(cut_windows(images, [box])) for box in boxes]
    return merge_windows(windows, boxes, images.shape[2:])
