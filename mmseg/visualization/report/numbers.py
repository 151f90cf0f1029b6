"""Numbers as a reader wants them."""

from __future__ import annotations

import math
import re

from markupsafe import Markup

DASH = '–'
MINUS = '−'


def fixed(value: float | None, digits: int = 2) -> str:
    """``38.32``; a dash for none."""
    return DASH if value is None or not math.isfinite(value) else f'{value:.{digits}f}'.replace('-', MINUS)


def signed(value: float | None, digits: int = 2) -> str:
    """``+1.20`` or ``−0.35``; a dash for none."""
    return DASH if value is None or not math.isfinite(value) else f'{value:+.{digits}f}'.replace('-', MINUS)


def difference(value: float | None, base: float | None) -> float | None:
    """``value - base``; None if one is missing."""
    return None if value is None or base is None else value - base


def short(value: float) -> str:
    """Four significant digits, thousands as k and M: ``40k``, ``1.25``, ``6e-05``."""
    if value == 0 or not math.isfinite(value):
        return '0' if value == 0 else DASH
    size = abs(value)
    if size >= 1e6:
        return f'{value / 1e6:.4g}M'.replace('-', MINUS)
    if size >= 1e4:
        return f'{value / 1e3:.4g}k'.replace('-', MINUS)
    return f'{value:.4g}'.replace('e-0', 'e-').replace('e+0', 'e')


def seconds(value: float | None) -> str:
    """``0.42 s``, ``31 ms``."""
    if value is None or not math.isfinite(value):
        return DASH
    return f'{value:.2f} s' if value >= 0.1 else f'{1000 * value:.0f} ms'


def pixels(count: int) -> str:
    """``1.2 M pixels``."""
    if count >= 1_000_000:
        return f'{count / 1e6:.1f} M pixels'
    if count >= 10_000:
        return f'{count / 1e3:.0f} k pixels'
    return f'{count:,} pixel{"" if count == 1 else "s"}'


def breakable(name: str) -> Markup:
    """A name of a run or a class that a browser may break behind ``_``, ``-`` and ``/``."""
    return Markup('').join(
        part if place % 2 == 0 else part + Markup('<wbr>') for place, part in enumerate(re.split('([_/-]+)', name))
    )


def percent(share: float) -> str:
    """A share of 1 as ``12 %``; below one percent with a digit more."""
    value = 100 * share
    return f'{value:.0f} %' if value >= 1 or value == 0 else f'{value:.1f} %'
