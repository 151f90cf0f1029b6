"""Geometric changes of a picture, replayed on what belongs to it: label maps, distance maps.

Every change is one step from output to input positions, and steps are done one after the other: what one of them
pushes out of the picture does not come back with the next. Positions are pixel centres, as Pillow counts them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

GEOMETRIC = ('Hflip', 'ShearX', 'ShearY', 'TranslateX', 'TranslateY', 'Rotate')
Box = tuple[int, int, int, int]  # x0, y0, x1, y1


class Operation(NamedTuple):
    """One change of a picture.

    Attributes:
        name: of it.
        value: pixels of the picture (TranslateX, TranslateY; positive = the content moves to the left or up), factor
            (ShearX, ShearY), degrees counter-clockwise (Rotate), or what a change of colours needs.
    """

    name: str
    value: float = 0.0


class ViewChange(NamedTuple):
    """What is done to one picture.

    Attributes:
        operations: in their order.
        cutout: x0, y0, x1, y1 of a box that is blanked out afterwards, in pixels of the picture; None = none.
    """

    operations: tuple[Operation, ...] = ()
    cutout: Box | None = None


def inverse_matrix(operation: Operation, height: int, width: int) -> Tensor:
    """(2, 3) float64: from positions (x, y, 1) after a geometric operation to those before it.

    Raises:
        ValueError: the operation is not geometric.
    """
    name, value = operation
    if name == 'Hflip':
        rows = [[-1.0, 0.0, width], [0.0, 1.0, 0.0]]
    elif name == 'ShearX':
        rows = [[1.0, value, 0.0], [0.0, 1.0, 0.0]]
    elif name == 'ShearY':
        rows = [[1.0, 0.0, 0.0], [value, 1.0, 0.0]]
    elif name == 'TranslateX':
        rows = [[1.0, 0.0, value], [0.0, 1.0, 0.0]]
    elif name == 'TranslateY':
        rows = [[1.0, 0.0, 0.0], [0.0, 1.0, value]]
    elif name == 'Rotate':
        cos, sin = math.cos(math.radians(value)), math.sin(math.radians(value))
        x, y = width / 2, height / 2
        rows = [[cos, -sin, x - cos * x + sin * y], [sin, cos, y - sin * x - cos * y]]
    else:
        raise ValueError(f'{name} is no geometric operation; these are {", ".join(GEOMETRIC)}')
    return torch.tensor(rows, dtype=torch.float64)


def warp(values: Tensor, operation: Operation, mode: str = 'nearest') -> tuple[Tensor, Tensor]:
    """One geometric operation.

    Args:
        values: (C, h, w) float; a translation is in pixels of this map.
        operation: see :func:`inverse_matrix`.
        mode: ``nearest`` or ``bilinear``.

    Returns:
        The values, and (h, w) bool: False where they come from outside and mean nothing.
    """
    height, width = values.shape[1:]
    if operation.name == 'Hflip':
        return values.flip(2), torch.ones(height, width, dtype=torch.bool, device=values.device)
    matrix = inverse_matrix(operation, height, width).to(values.device, non_blocking=True)
    y, x = (torch.arange(size, dtype=torch.float64, device=values.device) + 0.5 for size in (height, width))
    from_x = matrix[0, 0] * x + (matrix[0, 1] * y + matrix[0, 2])[:, None]
    from_y = matrix[1, 0] * x + (matrix[1, 1] * y + matrix[1, 2])[:, None]
    inside = (from_x >= 0) & (from_x < width) & (from_y >= 0) & (from_y < height)
    grid = torch.stack([2 * from_x / width - 1, 2 * from_y / height - 1], dim=-1).to(values.dtype)
    moved = F.grid_sample(values[None], grid[None], mode=mode, padding_mode='border', align_corners=False)[0]
    return moved, inside


def move(
    values: Tensor, changes: Sequence[ViewChange], stride: float, replay: str = 'ordered'
) -> tuple[Tensor, Tensor]:
    """The geometric part of a batch's changes, cut-outs included, on maps that belong to the pictures.

    Args:
        values: (B, C, h, w) float.
        changes: one per picture, in pixels of that.
        stride: pixels of the picture per position of the map.
        replay: ``ordered``: each operation in its turn; ``published``: see :func:`as_published`.

    Returns:
        The moved maps, and (B, h, w) bool: False at what comes from outside the picture and at cut-outs.
    """
    moved, masks = [], []
    for one, change in zip(values, changes, strict=True):
        height, width = one.shape[1:]
        operations = [scaled(operation, stride) for operation in change.operations if operation.name in GEOMETRIC]
        if replay == 'published':
            operations = as_published(change.operations, stride, width / height)
        inside = torch.ones(height, width, dtype=torch.bool, device=one.device)
        for operation in operations:
            # Masks travel with the values; float, since sampling knows no other.
            both, from_inside = warp(torch.cat([one, inside[None].to(one.dtype)]), operation)
            one, inside = both[:-1], from_inside & (both[-1] > 0.5)
        if change.cutout is not None:
            x0, y0, x1, y1 = (int(edge // stride) for edge in change.cutout)
            inside[y0:y1, x0:x1] = False
        moved.append(one)
        masks.append(inside)
    return torch.stack(moved), torch.stack(masks)


def scaled(operation: Operation, stride: float) -> Operation:
    """The operation on a map of ``stride`` pixels per position."""
    if operation.name.startswith('Translate'):
        return operation._replace(value=operation.value / stride)
    return operation


def as_published(operations: Sequence[Operation], stride: float, aspect: float) -> list[Operation]:
    """How ProDA's code moves labels: in a fixed order, of each operation the last, and TranslateX too far.

    It scales that translation by the height instead of the width: ``aspect`` = width / height times as far as the
    picture's. Translations are rounded down to whole positions.
    """
    last = {operation.name: operation for operation in operations if operation.name in GEOMETRIC}
    result = []
    for name in GEOMETRIC:
        if name not in last:
            continue
        value = last[name].value
        if name.startswith('Translate'):
            value = value // stride * (aspect if name == 'TranslateX' else 1.0)
        result.append(Operation(name, value))
    return result
