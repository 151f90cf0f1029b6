"""Prediction of a large image window by window."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mmseg.models.precision import at_least_float32

Box = tuple[int, int, int, int]
Interval = tuple[int, int]


def _intervals(length: int, crop: int, stride: int) -> list[Interval]:
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


def window_batches(boxes: Sequence[Box], images: int, pixels: int | None) -> list[Sequence[Box]]:
    """Windows in groups that go through the network together, in order and of almost equal size.

    Args:
        boxes: of :func:`window_boxes`.
        images: number of images that each box is cut from.
        pixels: a group has at most so many in all its images, or a single box; None = one group.
    """
    if pixels is None:
        return [boxes]
    y1, y2, x1, x2 = boxes[0]
    largest = max(1, pixels // (images * (y2 - y1) * (x2 - x1)))
    groups = -(-len(boxes) // largest)
    borders = [i * len(boxes) // groups for i in range(groups + 1)]
    return [boxes[start:end] for start, end in zip(borders[:-1], borders[1:], strict=True)]


def cut_windows(images: Tensor, boxes: Sequence[Box]) -> Tensor:
    """The windows of (B, C, H, W) as one batch, window-major: window 0 of all images, window 1 of all images, ..."""
    return torch.cat([images[:, :, y1:y2, x1:x2] for y1, y2, x1, x2 in boxes])


class WindowMean:
    """Average of overlapping windows: they are added up in one map as they come, none is kept.

    Args:
        boxes: all windows; together they cover everything.
        size: height and width of the whole.
    """

    def __init__(self, boxes: Sequence[Box], size: Sequence[int]):
        self.boxes = boxes
        self.size = tuple(size)
        self.total: Tensor | None = None

    def add(self, windows: Tensor, boxes: Sequence[Box]) -> None:
        """Add windows (N * B, C, h, w), window-major, that lie at N of the boxes."""
        parts = windows.split(len(windows) // len(boxes))
        if self.total is None:
            dtype = at_least_float32(windows[:0]).dtype
            self.total = windows.new_zeros(*parts[0].shape[:2], *self.size, dtype=dtype)
        for part, (y1, y2, x1, x2) in zip(parts, boxes, strict=True):
            self.total[:, :, y1:y2, x1:x2] += part

    def mean(self) -> Tensor:
        """(B, C, H, W), in float32 where the windows have 16 bits; nothing can be added afterwards.

        Raises:
            ValueError: if nothing was added.
        """
        if self.total is None:
            raise ValueError('no windows were added')
        # Windows lie in rows and columns, so a pixel's number of windows is a product.
        rows = self._coverage(self.size[0], {(y1, y2) for y1, y2, _, _ in self.boxes})
        columns = self._coverage(self.size[1], {(x1, x2) for _, _, x1, x2 in self.boxes})
        total, self.total = self.total, None
        return total.div_(rows[:, None] * columns)

    def _coverage(self, length: int, intervals: set[Interval]) -> Tensor:
        assert self.total is not None
        counts = self.total.new_zeros(length)
        for start, end in intervals:
            counts[start:end] += 1
        return counts


def slide(
    images: Tensor,
    predict: Callable[[Tensor], Tensor],
    crop_size: Sequence[int],
    stride: Sequence[int],
    batch_pixels: int | None = 0,
    cell: int = 1,
) -> Tensor:
    """Predict windows of the images and average the logits where they overlap.

    Args:
        images: (B, 3, H, W).
        predict: gives logits (N, C, h / cell, w / cell) of windows (N, 3, h, w).
        crop_size: height and width of a window.
        stride: distance of neighbouring windows.
        batch_pixels: windows are predicted together up to so many pixels: faster, more memory, the same result in
            evaluation mode. 0 = one after the other, None = all at once.
        cell: pixels per logit; all sides and corners of windows are multiples of it.

    Returns:
        logits (B, C, H / cell, W / cell), at least float32.
    """
    boxes = window_boxes(*images.shape[2:], crop_size, stride)
    average = WindowMean(_in_cells(boxes, cell), [side // cell for side in images.shape[2:]])
    for group in window_batches(boxes, len(images), batch_pixels):
        # Nothing here holds on to a group's logits while the next is predicted.
        average.add(predict(cut_windows(images, group)), _in_cells(group, cell))
    return average.mean()


def _in_cells(boxes: Sequence[Box], cell: int) -> list[Box]:
    return [(y1 // cell, y2 // cell, x1 // cell, x2 // cell) for y1, y2, x1, x2 in boxes]
