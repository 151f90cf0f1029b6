"""ProDA's strong view of a picture, and its label map moved with it.

References: ProDA (Zhang et al., CVPR 2021), section 3.3; the operations are RandAugment's (Cubuk et al., NeurIPS 2020).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mmseg.models.resize import resize_labels
from mmseg.models.uda.components.view_geometry import GEOMETRIC, Box, Operation, ViewChange, move, warp
from mmseg.structures import IGNORE

FILL = 127.0  # grey level of what comes from outside, and of cut-outs
STRENGTHS = 10  # a strength v is one of 1 .. 9, of 10
REPLAYS = ('ordered', 'published')
COLOURS = (
    'AutoContrast',
    'Brightness',
    'Color',
    'Contrast',
    'Equalize',
    'Identity',
    'Posterize',
    'Sharpness',
    'Solarize',
)
NAMES = (*COLOURS, *GEOMETRIC[1:])


class RandAugment:
    """Mirror, random operations and a cut-out; colours on bytes as Pillow does them, geometry recorded in its order.

    Args:
        operations: how many are drawn, with replacement; each is done with probability 1/2.
        flip: chance of mirroring first.
        cutout: side of the blanked-out box as a part of the short edge; 0 = none.
        label_stride: label maps are moved at 1 / this of their size, where the losses are.
        replay: ``ordered``: labels get the picture's operations in the picture's order; ``published``: as ProDA's code
            moves them (fixed order, the last of equal operations, horizontal shifts too far).

    Raises:
        ValueError: for a setting that makes no sense.
    """

    def __init__(
        self,
        operations: int = 2,
        flip: float = 0.5,
        cutout: float = 1 / 3,
        label_stride: int = 4,
        replay: str = 'ordered',
    ) -> None:
        if replay not in REPLAYS:
            raise ValueError(f'strong_view: replay {replay!r} does not exist, choose one of {", ".join(REPLAYS)}')
        if operations < 0 or label_stride < 1 or not 0 <= flip <= 1 or not 0 <= cutout <= 1:
            raise ValueError(
                'strong_view: operations is at least 0, label_stride at least 1, flip and cutout lie in 0..1; got '
                f'{operations}, {label_stride}, {flip} and {cutout}'
            )
        self.operations = operations
        self.flip = flip
        self.cutout = cutout
        self.label_stride = label_stride
        self.replay = replay

    def draw(self, count: int, size: Sequence[int], generator: torch.Generator) -> list[ViewChange]:
        """What is done to each of ``count`` pictures of ``size`` (H, W).

        All numbers are drawn whether they are used or not, so that an option changes no other decision.
        """
        height, width = size
        changes = []
        for _ in range(count):
            flip, across, down = torch.rand(3, generator=generator).tolist()
            operations = [Operation('Hflip')] if flip < self.flip else []
            for _ in range(self.operations):
                which, strength = (
                    int(torch.randint(low, high, (), generator=generator))
                    for low, high in ((0, len(NAMES)), (1, STRENGTHS))
                )
                applied, sign = torch.rand(2, generator=generator).tolist()
                if applied < 0.5:
                    direction = -1 if sign < 0.5 else 1
                    operations.append(operation_of_strength(NAMES[which], strength, direction, height, width))
            changes.append(ViewChange(tuple(operations), self._box(across, down, height, width)))
        return changes

    def _box(self, across: float, down: float, height: int, width: int) -> Box | None:
        side = int(self.cutout * min(height, width))
        if side == 0:
            return None
        x0, y0 = (int(max(0.0, share * length - side / 2)) for share, length in ((across, width), (down, height)))
        return x0, y0, min(width, x0 + side), min(height, y0 + side)

    def apply(self, images: Tensor, changes: Sequence[ViewChange], mean: Tensor, std: Tensor) -> Tensor:
        """The strong view (B, 3, H, W) of normalised RGB images.

        Args:
            images: (B, 3, H, W).
            changes: of :meth:`draw`.
            mean: of the normalisation, per channel, in grey levels 0..255.
            std: likewise.
        """
        mean, std = (values.to(images).view(3, 1, 1) for values in (mean, std))
        views = []
        for picture, change in zip(images * std + mean, changes, strict=True):
            for operation in change.operations:
                picture = change_picture(picture, operation)
            if change.cutout is not None:
                x0, y0, x1, y1 = change.cutout
                picture = picture.clone()
                picture[:, y0:y1, x0:x1] = FILL
            views.append(picture)
        return (torch.stack(views) - mean) / std

    def move(self, values: Tensor, changes: Sequence[ViewChange], stride: float) -> tuple[Tensor, Tensor]:
        """Maps (B, C, h, w) moved with their pictures, and where they mean something; see ``view_geometry.move``."""
        return move(values, changes, stride, self.replay)

    def move_labels(self, labels: Tensor, changes: Sequence[ViewChange]) -> Tensor:
        """Label maps (B, H, W) int64 at 1 / ``label_stride``, moved; 255 at what comes from outside and at cut-outs."""
        stride = self.label_stride
        small = resize_labels(labels, [max(1, length // stride) for length in labels.shape[1:]])
        moved, inside = self.move(small[:, None].to(torch.float32), changes, stride)
        return moved[:, 0].round().long().masked_fill(~inside, IGNORE)


def operation_of_strength(name: str, strength: int, direction: int, height: int, width: int) -> Operation:
    """An operation at strength v of 10, as ProDA scales it; ``direction`` (1 or -1) is for the geometric ones."""
    share = strength / STRENGTHS
    if name == 'Rotate':
        return Operation(name, direction * int(30 * share))
    if name.startswith('Shear'):
        return Operation(name, direction * 0.3 * share)
    if name.startswith('Translate'):
        return Operation(name, direction * int(0.3 * share * (width if name == 'TranslateX' else height)))
    if name == 'Posterize':
        return Operation(name, int(4 * share) + 4)
    if name == 'Solarize':
        return Operation(name, 256 - int(256 * share))
    if name in ('AutoContrast', 'Equalize', 'Identity'):
        return Operation(name)
    return Operation(name, 0.9 * share + 0.05)


def change_picture(picture: Tensor, operation: Operation) -> Tensor:
    """One operation on a picture (3, H, W) of grey levels 0..255, float."""
    name, value = operation
    if name in GEOMETRIC:
        moved, inside = warp(picture, operation, mode='bilinear')
        return torch.where(inside, moved, FILL)
    if name == 'Identity':
        return picture
    return _colours(name, value)(picture.clamp(0, 255).round().to(torch.uint8)).to(picture.dtype)


def _colours(name: str, value: float) -> Callable[[Tensor], Tensor]:
    """torchvision's change of bytes; imported here because that takes a second."""
    from torchvision.transforms.v2 import functional as F

    return {
        'AutoContrast': F.autocontrast,
        'Equalize': F.equalize,
        'Brightness': lambda x: F.adjust_brightness(x, value),
        'Color': lambda x: F.adjust_saturation(x, value),
        'Contrast': lambda x: F.adjust_contrast(x, value),
        'Sharpness': lambda x: F.adjust_sharpness(x, value),
        'Posterize': lambda x: F.posterize(x, int(value)),
        'Solarize': lambda x: F.solarize(x, value),
    }[name]
