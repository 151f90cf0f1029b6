"""Colour jitter and Gaussian blur of the mixed images.

The published methods used kornia 0.5.8, whose colour formulas today's libraries no longer have (brightness is added,
contrast has no mean); the formulas here are those.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mmseg.models.precision import at_least_float32

FACTORS = ('brightness', 'contrast', 'saturation', 'hue')
SCOPES = ('batch', 'image')
BLUR_AXES = ('xy', 'x')
SIGMA_RANGE = (0.15, 1.15)
EPS = 1e-6


@dataclass(frozen=True)
class StrongAugmentation:
    """What to do with the images of one batch; None = leave that out. Tensors of the CPU.

    Attributes:
        factors: (B, 4) brightness, contrast, saturation and hue of each image.
        order: (B, 4) int64, each image's order of the four (numbers as in ``FACTORS``).
        sigma: (B,) width of each image's blur, in pixels.
        jittered: (B,) bool, which images are jittered; None = all.
        blurred: (B,) bool, which images are blurred; None = all.
    """

    factors: Tensor | None = None
    order: Tensor | None = None
    sigma: Tensor | None = None
    jittered: Tensor | None = None
    blurred: Tensor | None = None


class StrongAugment:
    """Random colour jitter and blur.

    Args:
        jitter_strength: s; brightness, contrast and saturation are drawn from 1 - s .. 1 + s, hue from -s .. s (of a
            full turn). Or the strengths by name.
        jitter_probability: chance that the batch is jittered (the original configs write the chance that it is not).
        blur: blur half of the batches.
        scope: what is jittered or blurred, or is not: the ``batch`` (DACS, DAFormer) or each ``image`` (DDB).
        blur_axes: ``xy``, or along ``x`` alone with a kernel for the height, as DDB's code does.

    Raises:
        ValueError: for a strength of an unknown name, or another scope or other axes.
    """

    def __init__(
        self,
        jitter_strength: float | Mapping[str, float] = 0.2,
        jitter_probability: float = 0.8,
        blur: bool = True,
        scope: str = 'batch',
        blur_axes: str = 'xy',
    ) -> None:
        if scope not in SCOPES:
            raise ValueError(f'strong_augment: scope {scope!r} does not exist, choose one of {", ".join(SCOPES)}')
        if blur_axes not in BLUR_AXES:
            raise ValueError(
                f'strong_augment: blur_axes {blur_axes!r} does not exist, choose one of {", ".join(BLUR_AXES)}'
            )
        if isinstance(jitter_strength, Mapping):
            strengths = dict(jitter_strength)
        else:
            strengths = dict.fromkeys(FACTORS, jitter_strength)
        if unknown := set(strengths) - set(FACTORS):
            raise ValueError(f'strong_augment: jitter_strength knows {FACTORS}, not {sorted(unknown)}')
        self.strength = torch.tensor([strengths.get(name, 0.0) for name in FACTORS])
        self.jitter_probability = jitter_probability
        self.blur = blur
        self.per_image = scope == 'image'
        self.blur_axes = blur_axes

    def draw(self, batch: int, generator: torch.Generator) -> StrongAugmentation:
        """Whether to jitter and to blur is decided for the batch or the image; factors, order and sigma for the image.

        All numbers are drawn whether they are used or not, so that an option changes no other decision.
        """
        u_jitter, u_blur = torch.rand(2, batch if self.per_image else 1, generator=generator)
        centre = torch.tensor([1.0, 1.0, 1.0, 0.0])
        factors = centre + (2 * torch.rand(batch, 4, generator=generator) - 1) * self.strength
        order = torch.rand(batch, 4, generator=generator).argsort(dim=1)
        low, high = SIGMA_RANGE
        sigma = low + (high - low) * torch.rand(batch, generator=generator)
        jittered, blurred = u_jitter < self.jitter_probability, (u_blur > 0.5) & self.blur
        jitter, blur = bool(jittered.any()), bool(blurred.any())
        return StrongAugmentation(
            factors=factors if jitter else None,
            order=order if jitter else None,
            sigma=sigma if blur else None,
            jittered=None if jittered.all() or not jitter else jittered,
            blurred=None if blurred.all() or not blur else blurred,
        )

    def apply(self, images: Tensor, augmentation: StrongAugmentation, mean: Tensor, std: Tensor) -> Tensor:
        """Jitter, then blur.

        Args:
            images: (B, 3, H, W) normalised RGB.
            augmentation: what was drawn.
            mean: of the normalisation, per channel, in grey levels 0..255.
            std: likewise.
        """
        factors, order, sigma = augmentation.factors, augmentation.order, augmentation.sigma
        if factors is not None and order is not None:
            images = _of_some(
                images,
                augmentation.jittered,
                lambda some, rows: color_jitter(some, factors[rows], order[rows], mean, std),
            )
        if sigma is not None:
            images = _of_some(
                images, augmentation.blurred, lambda some, rows: gaussian_blur(some, sigma[rows], self.blur_axes)
            )
        return images


def _of_some(images: Tensor, chosen: Tensor | None, change: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """``change(images, rows)`` of the chosen images (None = all), the others as they are; rows lie on the CPU."""
    if chosen is None:
        return change(images, torch.arange(len(images)))
    rows = chosen.nonzero().flatten()
    there = rows.to(images.device, non_blocking=True)
    changed = change(images.index_select(0, there), rows)
    return images.to(changed.dtype).index_copy(0, there, changed)


def color_jitter(images: Tensor, factors: Tensor, order: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Jitter each image of a batch by its own factors in its own order.

    Args:
        images: (B, 3, H, W) normalised RGB.
        factors: (B, 4), see :class:`StrongAugmentation`.
        order: (B, 4) int64 of the CPU.
        mean: per channel, in grey levels 0..255.
        std: likewise.
    """
    images = at_least_float32(images)
    mean, std = (values.to(images).view(3, 1, 1) for values in (mean, std))
    colors = (images * std + mean) / 255
    amounts = factors.to(images, non_blocking=True)[:, :, None, None]  # (B, 4, 1, 1)
    for stage in range(len(FACTORS)):
        for number, operation in enumerate(_OPERATIONS):
            rows = (order[:, stage] == number).nonzero().flatten()
            if len(rows) == len(colors):
                colors = operation(colors, amounts[:, number])
            elif len(rows):
                rows = rows.to(images.device, non_blocking=True)
                changed = operation(colors.index_select(0, rows), amounts[:, number].index_select(0, rows))
                colors = colors.index_copy(0, rows, changed)
    return (255 * colors - mean) / std


def _brighten(colors: Tensor, factor: Tensor) -> Tensor:
    return (colors + (factor[:, None] - 1)).clamp(0, 1)


def _contrast(colors: Tensor, factor: Tensor) -> Tensor:
    return (colors * factor[:, None]).clamp(0, 1)


def _saturate(colors: Tensor, factor: Tensor) -> Tensor:
    hue, saturation, value = rgb_to_hsv(colors)
    return hsv_to_rgb(hue, (saturation * factor).clamp(0, 1), value)


def _rotate_hue(colors: Tensor, factor: Tensor) -> Tensor:
    hue, saturation, value = rgb_to_hsv(colors)
    return hsv_to_rgb(torch.fmod(hue + 2 * math.pi * factor, 2 * math.pi), saturation, value)


_OPERATIONS: tuple[Callable[[Tensor, Tensor], Tensor], ...] = (_brighten, _contrast, _saturate, _rotate_hue)


def rgb_to_hsv(colors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue 0 .. 2 pi, saturation and value, each (B, H, W), of RGB (B, 3, H, W)."""
    value, largest = colors.max(dim=1)
    span = value - colors.min(dim=1).values
    red, green, blue = colors.unbind(dim=1)
    safe = torch.where(span == 0, 1, span)
    by_largest = torch.stack(
        [torch.remainder((green - blue) / safe, 6), 2 + (blue - red) / safe, 4 + (red - green) / safe]
    )
    hue = by_largest.gather(0, largest[None])[0] * (math.pi / 3)
    return hue, span / (value + EPS), value


def hsv_to_rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """RGB (B, 3, H, W); a negative hue falls in the sector that it has modulo 2 pi."""
    position = hue * (3 / math.pi)
    sector = position.floor()
    part = position - sector
    low = value * (1 - saturation)
    falling = value * (1 - part * saturation)
    rising = value * (1 - (1 - part) * saturation)
    levels = torch.stack([value, falling, low, rising])  # (4, B, H, W)
    picks = torch.tensor([[0, 1, 2, 2, 3, 0], [3, 0, 0, 1, 2, 2], [2, 2, 3, 0, 0, 1]])
    number = torch.remainder(sector, 6).long()
    chosen = picks.to(hue.device, non_blocking=True)[:, number]  # (3, B, H, W)
    return levels.gather(0, chosen).transpose(0, 1)


def blur_kernel_size(side: int) -> int:
    """Taps that the published methods give a blur along a side of an image: a tenth of it, made odd."""
    tenth = math.ceil(0.1 * side)
    return math.floor(tenth - 0.5 + tenth % 2)


def gaussian_blur(images: Tensor, sigma: Tensor, axes: str = 'xy') -> Tensor:
    """Blur each image (B, C, H, W) with its own sigma (B,), reflecting at the borders.

    Args:
        images: to blur.
        sigma: in pixels.
        axes: ``xy``, or ``x``: along the width alone, with the kernel size that the height would have.

    Equal to the dense kernels of :func:`blur_kernel_size` to 1e-6: one pass along each axis, and no taps beyond 5.2
    sigma, where less than 1e-6 of the mass lies. On small images the kernels are smaller than that, and kept.
    """
    images = at_least_float32(images)
    reach = max(6, math.ceil(5.2 * float(sigma.max())))
    sides = ((3, 2),) if axes == 'x' else ((3, 3), (2, 2))
    for axis, sized_by in sides:
        radius = min(blur_kernel_size(images.shape[sized_by]) // 2, reach)
        images = _blur_axis(images, sigma, radius, axis)
    return images


def _blur_axis(images: Tensor, sigma: Tensor, radius: int, axis: int) -> Tensor:
    batch, channels, height, width = images.shape
    distance = torch.arange(-radius, radius + 1, dtype=torch.float64)
    taps = torch.exp(-(distance**2) / (2 * sigma.double()[:, None] ** 2))
    taps = (taps / taps.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)  # (B * C, taps)
    along_width = axis == 3
    kernel = taps[:, None, None, :] if along_width else taps[:, None, :, None]
    padding = (radius, radius, 0, 0) if along_width else (0, 0, radius, radius)
    padded = F.pad(images.reshape(1, batch * channels, height, width), padding, mode='reflect')
    kernel = kernel.to(images, non_blocking=True)
    return F.conv2d(padded, kernel, groups=batch * channels).view(batch, channels, height, width)
