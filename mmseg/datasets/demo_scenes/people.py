"""Templates of people and two-wheelers: flat figures in the x-y plane that always face the camera."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from . import labels
from .mesh import GAUZE, Template, TemplateBuilder

# Colour slots shared by people and two-wheelers.
SKIN, HAIR, TOP, TROUSERS, SHOES, BAG, TYRE, FRAME, METAL, LIGHT = range(10)


def slot_colors(skin: Sequence[float], hair, top, trousers, bag, frame, light) -> np.ndarray:
    """Colours (10, 3) for the slots of people and two-wheelers."""
    colors = [skin, hair, top, trousers, (35, 32, 32), bag, (28, 28, 30), frame, (140, 142, 146), light]
    return np.array(colors, dtype=np.float32)


def ellipse(x: float, y: float, rx: float, ry: float, corners: int = 10, start: float = 0.0, end: float = 2 * np.pi):
    """Points (x, y) along an ellipse, or along a part of one."""
    full = end - start >= 2 * np.pi
    angles = start + (end - start) * np.arange(corners) / (corners if full else corners - 1)
    return [(x + rx * float(np.cos(a)), y + ry * float(np.sin(a))) for a in angles]


def limb(x0: float, y0: float, x1: float, y1: float, w0: float, w1: float) -> list[tuple[float, float]]:
    """A tapered bar from one point to another with the given widths at its ends."""
    length = float(np.hypot(x1 - x0, y1 - y0))
    nx, ny = -(y1 - y0) / length / 2, (x1 - x0) / length / 2
    ends = [(x0 + nx * w0, y0 + ny * w0), (x1 + nx * w1, y1 + ny * w1)]
    return [*ends, (x1 - nx * w1, y1 - ny * w1), (x0 - nx * w0, y0 - ny * w0)]


def _head(builder: TemplateBuilder, x: float, y: float, hair_from: float, hair_to: float) -> None:
    builder.flat(limb(x, y - 0.2, x, y - 0.05, 0.11, 0.1), SKIN)
    builder.flat(ellipse(x, y, 0.105, 0.135), SKIN)
    builder.flat(ellipse(x, y + 0.02, 0.115, 0.135, 9, hair_from, hair_to), HAIR)


@cache
def person(pose: int) -> Template:
    """A person 1.75 m tall. Poses 0-2 from the front or behind, 3-7 walking sideways; odd ones carry a bag."""
    builder = TemplateBuilder(labels.PERSON, (0.0, 0.9, -1.0))
    sideways = pose >= 3
    stride = (0.05, 0.1, 0.14, 0.18, 0.3, 0.4, 0.1, 0.24)[pose]
    half = 0.17 if sideways else 0.22
    swing = stride * 0.7 if sideways else 0.06
    if sideways:
        feet = ((-stride, 0.02), (stride, 0.0))
        hips = (-0.03, 0.03)
    else:
        feet = ((-0.11, 0.0), (0.12, 0.04 * pose))
        hips = (-0.09, 0.09)
    builder.flat(limb(-half * 0.6, 1.4, -half * 0.8 - swing, 0.85, 0.13, 0.1), TOP)
    for hip, (foot, lift) in zip(hips, feet, strict=True):
        knee = (hip + foot) / 2 + (0.05 if sideways else 0.0)
        builder.flat(limb(hip, 0.95, knee, 0.5, 0.19, 0.15), TROUSERS)
        builder.flat(limb(knee, 0.53, foot, 0.06 + lift, 0.15, 0.11), TROUSERS)
        toe = 0.2 if sideways else 0.07
        builder.flat([(foot - 0.06, lift), (foot + toe, lift), (foot + toe, lift + 0.06), (foot - 0.06, 0.1)], SHOES)
    torso = [(-half * 0.8, 0.86), (half * 0.8, 0.86), (half * 0.85, 1.1), (half, 1.38), (half * 0.5, 1.48)]
    builder.flat([*torso, (-half * 0.5, 1.48), (-half, 1.38), (-half * 0.85, 1.1)], TOP)
    if pose == 2:
        builder.flat([(-0.26, 0.62), (0.26, 0.62), (0.17, 1.05), (-0.17, 1.05)], TOP)
    if pose % 2:
        shift = -half if sideways else 0.0
        builder.flat([(shift - 0.14, 1.02), (shift + 0.14, 1.02), (shift + 0.13, 1.42), (shift - 0.13, 1.42)], BAG)
    builder.flat(limb(half * 0.7, 1.4, half * 0.9 + swing, 0.88, 0.13, 0.09), TOP)
    builder.flat(ellipse(half * 0.9 + swing, 0.85, 0.05, 0.07, 6), SKIN)
    if sideways:
        _head(builder, 0.02, 1.62, 0.9, 3.9)
    else:
        _head(builder, 0.0, 1.62, *((0.0, 3.14), (-0.8, 3.94), (0.0, 3.14))[pose])
    return builder.build()


def _wheel(builder: TemplateBuilder, x: float, radius: float, tyre: float) -> None:
    builder.flat(ellipse(x, radius, radius, radius, 16), METAL, material=GAUZE)
    outer = ellipse(x, radius, radius, radius, 17, 0.0, 2 * np.pi - 1e-6)
    inner = ellipse(x, radius, radius - tyre, radius - tyre, 17, 0.0, 2 * np.pi - 1e-6)
    for i in range(16):
        builder.flat([outer[i], outer[i + 1], inner[i + 1], inner[i]], TYRE)


def _bicycle_side(builder: TemplateBuilder) -> None:
    hubs, radius = (-0.52, 0.52), 0.34
    saddle, bracket, steerer = (-0.2, 0.86), (-0.08, 0.3), (0.36, 0.86)
    for hub in hubs:
        _wheel(builder, hub, radius, 0.06)
    builder.flat([(hubs[0], radius), bracket, steerer, saddle], METAL, material=GAUZE)
    builder.flat([bracket, (hubs[1], radius), steerer], METAL, material=GAUZE)
    tubes = [(bracket, saddle), (bracket, steerer), (saddle, steerer), (bracket, (hubs[0], radius))]
    tubes += [(saddle, (hubs[0], radius)), (steerer, (hubs[1], radius))]
    for (x0, y0), (x1, y1) in tubes:
        builder.flat(limb(x0, y0, x1, y1, 0.055, 0.055), FRAME)
    builder.flat(limb(saddle[0] - 0.13, 0.95, saddle[0] + 0.12, 0.93, 0.09, 0.06), TYRE)
    builder.flat(limb(steerer[0], 0.84, steerer[0] - 0.02, 1.05, 0.05, 0.05), METAL)
    builder.flat(limb(steerer[0] - 0.12, 1.06, steerer[0] + 0.1, 1.02, 0.05, 0.05), TYRE)


def _bicycle_end(builder: TemplateBuilder) -> None:
    builder.flat(ellipse(0.0, 0.34, 0.045, 0.34, 12), TYRE)
    builder.flat(limb(0.0, 0.5, 0.0, 1.02, 0.07, 0.05), FRAME)
    builder.flat(limb(-0.3, 1.03, 0.3, 1.03, 0.05, 0.05), METAL)
    builder.flat(limb(-0.08, 0.62, 0.08, 0.62, 0.08, 0.08), LIGHT)


def _motorcycle_side(builder: TemplateBuilder) -> None:
    for hub in (-0.68, 0.68):
        builder.flat(ellipse(hub, 0.31, 0.31, 0.31, 14), TYRE)
        builder.flat(ellipse(hub, 0.31, 0.18, 0.18, 10), METAL)
    builder.flat(limb(0.68, 0.31, 0.42, 0.95, 0.09, 0.1), METAL)
    builder.flat([(-0.45, 0.3), (0.32, 0.28), (0.45, 0.6), (0.2, 0.75), (-0.3, 0.7), (-0.62, 0.55)], TYRE)
    builder.flat([(-0.95, 0.78), (-0.75, 0.62), (-0.1, 0.62), (-0.05, 0.8), (-0.5, 0.84)], FRAME)
    builder.flat([(-0.1, 0.62), (0.4, 0.62), (0.48, 0.88), (0.3, 1.0), (-0.05, 0.9)], FRAME)
    builder.flat([(0.36, 0.7), (0.72, 0.78), (0.62, 1.05), (0.42, 1.2)], FRAME)
    builder.flat([(-0.62, 0.84), (0.0, 0.8), (-0.02, 0.9), (-0.6, 0.95)], TYRE)
    builder.flat(limb(-0.9, 0.35, -0.2, 0.33, 0.12, 0.08), METAL)
    builder.flat(limb(0.3, 1.05, 0.48, 1.08, 0.06, 0.06), TYRE)
    builder.flat(ellipse(0.66, 0.92, 0.08, 0.1, 8), LIGHT)


def _motorcycle_end(builder: TemplateBuilder) -> None:
    builder.flat(ellipse(0.0, 0.33, 0.1, 0.33, 12), TYRE)
    builder.flat([(-0.17, 0.42), (0.17, 0.42), (0.22, 0.85), (0.12, 1.0), (-0.12, 1.0), (-0.22, 0.85)], FRAME)
    builder.flat(limb(-0.12, 0.76, 0.12, 0.76, 0.1, 0.1), LIGHT)
    builder.flat(limb(-0.4, 1.05, 0.4, 1.05, 0.06, 0.06), TYRE)
    for x in (-0.42, 0.42):
        builder.flat(ellipse(x, 1.15, 0.08, 0.06, 6), TYRE)


_MACHINES = {
    ('bicycle', True): (labels.BICYCLE, _bicycle_side),
    ('bicycle', False): (labels.BICYCLE, _bicycle_end),
    ('motorcycle', True): (labels.MOTORCYCLE, _motorcycle_side),
    ('motorcycle', False): (labels.MOTORCYCLE, _motorcycle_end),
}


@cache
def two_wheeler(kind: str, sideways: bool, ridden: bool) -> Template:
    """A `bicycle` or `motorcycle` from the side or from its end, with or without its rider."""
    label, machine = _MACHINES[kind, sideways]
    builder = TemplateBuilder(label, (0.0, 0.9, -1.0))
    machine(builder)
    if ridden:
        builder.label = labels.RIDER
        (_rider_side if sideways else _rider_end)(builder, kind)
    return builder.build()


def _rider_side(builder: TemplateBuilder, kind: str) -> None:
    hip, shoulder, hand, foot = {
        'bicycle': ((-0.18, 0.98), (0.12, 1.48), (0.36, 1.06), (0.02, 0.2)),
        'motorcycle': ((-0.28, 0.95), (-0.02, 1.45), (0.42, 1.08), (0.0, 0.36)),
    }[kind]
    knee = (0.2, 0.66) if kind == 'bicycle' else (0.22, 0.78)
    builder.flat(limb(*hip, *knee, 0.2, 0.16), TROUSERS)
    builder.flat(limb(*knee, *foot, 0.15, 0.11), TROUSERS)
    builder.flat([(foot[0] - 0.06, foot[1] - 0.08), (foot[0] + 0.2, foot[1] - 0.06), (foot[0] + 0.12, foot[1])], SHOES)
    builder.flat(limb(hip[0], hip[1] - 0.05, *shoulder, 0.26, 0.3), TOP)
    elbow = ((shoulder[0] + hand[0]) / 2, (shoulder[1] + hand[1]) / 2 - 0.1)
    builder.flat(limb(*shoulder, *elbow, 0.14, 0.11), TOP)
    builder.flat(limb(*elbow, *hand, 0.11, 0.08), TOP if kind == 'motorcycle' else SKIN)
    _rider_head(builder, shoulder[0] + 0.08, shoulder[1] + 0.2, kind)


def _rider_end(builder: TemplateBuilder, kind: str) -> None:
    low = 0.3 if kind == 'bicycle' else 0.42
    for side in (-1, 1):
        builder.flat(limb(side * 0.1, 0.95, side * 0.19, low + 0.3, 0.19, 0.15), TROUSERS)
        builder.flat(limb(side * 0.19, low + 0.35, side * 0.13, low, 0.15, 0.12), TROUSERS)
        builder.flat(limb(side * 0.13, low, side * 0.14, low - 0.09, 0.12, 0.14), SHOES)
        builder.flat(limb(side * 0.2, 1.42, side * 0.36, 1.06, 0.14, 0.1), TOP)
    builder.flat([(-0.16, 0.9), (0.16, 0.9), (0.23, 1.35), (0.14, 1.5), (-0.14, 1.5), (-0.23, 1.35)], TOP)
    _rider_head(builder, 0.0, 1.65, kind)


def _rider_head(builder: TemplateBuilder, x: float, y: float, kind: str) -> None:
    if kind == 'motorcycle':
        builder.flat(ellipse(x, y, 0.15, 0.16), BAG)
        builder.flat(limb(x - 0.02, y, x + 0.13, y, 0.08, 0.08), SHOES)
    else:
        _head(builder, x, y, 0.1, 3.04)
