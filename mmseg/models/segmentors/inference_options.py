"""How a segmentor predicts: the config's ``test_cfg``, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class InferenceOptions:
    """Options of inference.

    Attributes:
        mode: ``whole`` = the image at once; ``slide`` = overlapping windows.
        crop_size: height and width of a window (slide only).
        stride: vertical and horizontal distance of windows (slide only).
        batched_slide: predict all windows in one batch.
        flip_tta: average the prediction with that of the mirrored image.
    """

    mode: str = 'whole'
    crop_size: tuple[int, int] | None = None
    stride: tuple[int, int] | None = None
    batched_slide: bool = False
    flip_tta: bool = False

    @classmethod
    def from_config(cls, test_cfg: Mapping[str, Any] | None) -> InferenceOptions:
        """Check a ``test_cfg``; None = defaults.

        Raises:
            ValueError: for an unknown key or mode, or a crop size or stride that is missing or makes no sense.
        """
        options = dict(test_cfg or {})
        known = [field.name for field in fields(cls)]
        unknown = sorted(options.keys() - set(known))
        if unknown:
            raise ValueError(f'unknown test_cfg key {", ".join(unknown)}; known: {", ".join(known)}')
        mode = options.get('mode', 'whole')
        if mode not in ('whole', 'slide'):
            raise ValueError(f"unknown test_cfg mode {mode!r}; known: 'whole', 'slide'")
        for name in ('crop_size', 'stride'):
            if options.get(name) is not None:
                options[name] = _pair(name, options[name])
            elif mode == 'slide':
                raise ValueError(f"test_cfg mode 'slide' needs {name}=(height, width)")
        if mode == 'slide' and any(s > c for s, c in zip(options['stride'], options['crop_size'], strict=True)):
            raise ValueError(
                f'test_cfg stride {options["stride"]} leaves gaps between windows of crop_size {options["crop_size"]}'
            )
        return cls(**options)


def _pair(name: str, value: Any) -> tuple[int, int]:
    pair = tuple(value) if isinstance(value, (list, tuple)) else ()
    if len(pair) != 2 or not all(isinstance(n, int) and n > 0 for n in pair):
        raise ValueError(f'test_cfg {name} must be (height, width), two positive integers, got {value!r}')
    return pair
