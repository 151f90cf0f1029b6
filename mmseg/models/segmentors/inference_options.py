"""How a segmentor predicts: the config's ``test_cfg``, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch

GPU_PIXELS = 4 * 1024 * 1024
CPU_PIXELS = 8 * 128 * 128


@dataclass(frozen=True)
class InferenceOptions:
    """Options of inference.

    Attributes:
        mode: ``whole`` = the image at once; ``slide`` = overlapping windows.
        crop_size: height and width of a window (slide only).
        stride: vertical and horizontal distance of windows (slide only).
        batched_slide: predict windows together; False = one after the other, with less memory.
        batch_pixels: as many windows share a batch as have at most so many pixels together (at least one does). None =
            4 windows of 1024x1024 or 16 of 512x512; on a CPU, where larger batches take longer, 8 of 128x128. It holds
            for windows of HRDA's detail too, in any mode.
        flip_tta: average the prediction with that of the mirrored image.
        scales: average the predictions of the image resized by these ratios, after normalisation (whole only); None =
            of the image as it is.
        single_resize: logits go to the original size in one step, not by way of the image's (whole only).
        tta: what ``tools/test.py --tta`` resizes: the ``files``, or by ``scales`` the normalised ``tensors``.
    """

    mode: str = 'whole'
    crop_size: tuple[int, int] | None = None
    stride: tuple[int, int] | None = None
    batched_slide: bool = True
    batch_pixels: int | None = None
    flip_tta: bool = False
    scales: tuple[float, ...] | None = None
    single_resize: bool = False
    tta: str = 'files'

    def pixels_on(self, device: torch.device) -> int:
        """``batch_pixels`` on a device."""
        return self.batch_pixels or (CPU_PIXELS if device.type == 'cpu' else GPU_PIXELS)

    @classmethod
    def from_config(cls, test_cfg: Mapping[str, Any] | None) -> InferenceOptions:
        """Check a ``test_cfg``; None = defaults.

        Raises:
            ValueError: for an unknown key or mode, or a size that is missing or makes no sense.
        """
        options = dict(test_cfg or {})
        known = [field.name for field in fields(cls)]
        unknown = sorted(options.keys() - set(known))
        if unknown:
            raise ValueError(f'unknown test_cfg key {", ".join(unknown)}; known: {", ".join(known)}')
        mode = options.get('mode', 'whole')
        if mode not in ('whole', 'slide'):
            raise ValueError(f"unknown test_cfg mode {mode!r}; known: 'whole', 'slide'")
        if options.get('tta', 'files') not in ('files', 'tensors'):
            raise ValueError(f"test_cfg tta must be 'files' or 'tensors', got {options['tta']!r}")
        if mode == 'slide' and (options.get('scales') or options.get('single_resize')):
            raise ValueError("test_cfg scales and single_resize belong to mode 'whole'")
        if options.get('scales') is not None:
            options['scales'] = _ratios(options['scales'])
        for name in ('crop_size', 'stride'):
            if options.get(name) is not None:
                options[name] = _pair(name, options[name])
            elif mode == 'slide':
                raise ValueError(f"test_cfg mode 'slide' needs {name}=(height, width)")
        if mode == 'slide' and any(s > c for s, c in zip(options['stride'], options['crop_size'], strict=True)):
            raise ValueError(
                f'test_cfg stride {options["stride"]} leaves gaps between windows of crop_size {options["crop_size"]}'
            )
        pixels = options.get('batch_pixels')
        if pixels is not None and (not isinstance(pixels, int) or pixels < 1):
            raise ValueError(f'test_cfg batch_pixels must be a positive integer, got {pixels!r}')
        return cls(**options)


def _ratios(value: Any) -> tuple[float, ...]:
    ratios = tuple(value) if isinstance(value, (list, tuple)) else ()
    if not ratios or not all(isinstance(ratio, (int, float)) and ratio > 0 for ratio in ratios):
        raise ValueError(f'test_cfg scales must be a list of positive numbers, got {value!r}')
    return ratios


def _pair(name: str, value: Any) -> tuple[int, int]:
    pair = tuple(value) if isinstance(value, (list, tuple)) else ()
    if len(pair) != 2 or not all(isinstance(n, int) and n > 0 for n in pair):
        raise ValueError(f'test_cfg {name} must be (height, width), two positive integers, got {value!r}')
    return pair
