"""Templates of what stands along a street: poles, lights, signs, trees, fences, walls, buildings."""

from functools import cache

import numpy as np

from . import labels
from .mesh import BARS, BRICK, FACADE, FOLIAGE, PLAIN, WIRE, Template, TemplateBuilder
from .people import ellipse, limb


@cache
def building(roof: str) -> Template:
    """A building on the unit square, 1 high without its `gable` or `flat` roof; slots: wall, roof, trim."""
    builder = TemplateBuilder(labels.BUILDING, (0.5, 0.5, 0.5))
    if roof == 'gable':
        ridge, eave = 1.22, 0.04
        for x, foot in ((0.5, -eave), (0.5, 1 + eave)):
            builder.face([(foot, 1.0, 0.0), (foot, 1.0, 1.0), (x, ridge, 1.0), (x, ridge, 0.0)], 1, material=PLAIN)
        builder.face([(0, 1, 0), (1, 1, 0), (0.5, ridge, 0)], 0)
        builder.face([(0, 1, 1), (1, 1, 1), (0.5, ridge, 1)], 0)
    builder.box((0, 1), (0, 1), (0, 1), 0, top=1, material=FACADE)
    if roof == 'flat':
        # A cornice: slightly wider than the walls and darker.
        builder.box((-0.012, 1.012), (0.965, 1.01), (-0.012, 1.012), 2, top=1)
    return builder.build()


@cache
def crown(kind: str, variant: int) -> Template:
    """A tree 1 high: `round`, `tall`, `conifer` or `palm`; slots: trunk, dark, middle and light leaves."""
    rng = np.random.default_rng([variant, len(kind)])
    builder = TemplateBuilder(labels.VEGETATION, (0.0, 0.5, -1.0))
    trunk = {'round': 0.6, 'tall': 0.5, 'conifer': 0.2, 'palm': 0.93}[kind]
    lean = rng.uniform(-0.03, 0.03)
    builder.flat(limb(0.0, 0.0, lean, trunk, 0.035, 0.025), 0)
    if kind == 'palm':
        for angle in np.linspace(-0.5, 3.64, 11) + rng.uniform(-0.15, 0.15, 11):
            x, y = lean + 0.23 * np.cos(angle), trunk + 0.1 * np.sin(angle)
            tip = (x + 0.07 * np.cos(angle), y - 0.13)
            slot = 1 + int(rng.integers(3))
            builder.flat([(lean, trunk - 0.02), (x, y - 0.03), tip, (x, y + 0.03), (lean, trunk + 0.03)], slot)
        return builder.build()
    if kind == 'conifer':
        for i in range(5):
            low, half = 0.14 + 0.16 * i, 0.24 - 0.042 * i
            jag = [(half * k / 4, low + 0.02 * float(rng.uniform(-1, 1))) for k in range(-4, 5)]
            builder.flat([*jag, (0.0, low + 0.3)], 1 + (i % 3), material=FOLIAGE)
        return builder.build()
    width = {'round': 0.3, 'tall': 0.12}[kind]
    bottom = {'round': 0.3, 'tall': 0.15}[kind]
    middle = (1 + bottom) / 2
    for shade, blobs in ((1, 6), (2, 6), (3, 5)):
        for number in range(blobs):
            # The first blob of the dark layer hides the end of the trunk.
            angle, far = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0.0, 1.0)) * 0.62
            far *= shade > 1 or number > 0
            up = (shade - 2) * 0.12
            x = lean + width * far * np.cos(angle) - (shade - 2) * 0.03
            y = middle + (1 - bottom) / 2 * (far * np.sin(angle) * 0.9 + up * 0.8)
            size = width * rng.uniform(0.4, 0.62) * (1.15 - 0.15 * shade)
            tall = size * (1.0 if kind == 'round' else 1.7)
            tall = min(tall, 0.99 - y, y - bottom + 0.08)
            angles = np.arange(15) * (2 * np.pi / 15)
            radius = 1 + rng.uniform(-0.17, 0.17, 15)
            points = np.stack([x + size * radius * np.cos(angles), y + tall * radius * np.sin(angles)], axis=1)
            builder.flat(points.tolist(), shade, material=FOLIAGE)
    return builder.build()


@cache
def hedge() -> Template:
    """A clipped hedge or bush filling the unit cube; slot 0."""
    builder = TemplateBuilder(labels.VEGETATION, (0.0, 0.5, 0.5))
    return builder.box((-0.5, 0.5), (0, 1), (0, 1), 0, material=FOLIAGE).build()


@cache
def bush(variant: int) -> Template:
    """A round bush 1 high and about 1.6 wide; slots 1-3 as for trees."""
    rng = np.random.default_rng([variant, 77])
    builder = TemplateBuilder(labels.VEGETATION, (0.0, 0.5, -1.0))
    for shade, blobs in ((1, 3), (2, 3), (3, 2)):
        for _ in range(blobs):
            x, size = rng.uniform(-0.45, 0.45), rng.uniform(0.28, 0.4)
            angles = np.arange(13) * (2 * np.pi / 13)
            radius = 1 + rng.uniform(-0.15, 0.15, 13)
            y = np.maximum(size * 0.9 + 0.1 * (shade - 1) + size * radius * np.sin(angles), 0.0)
            builder.flat(np.stack([x + size * radius * np.cos(angles), y], axis=1).tolist(), shade, material=FOLIAGE)
    return builder.build()


@cache
def barrier(kind: str) -> Template:
    """A `wall`, or a fence of `bars` or `wire`, along z from 0 to 1, 1 high; slots: surface, post or coping."""
    label = labels.WALL if kind == 'wall' else labels.FENCE
    builder = TemplateBuilder(label, (0.0, 0.5, 0.5))
    if kind == 'wall':
        builder.box((-0.5, 0.5), (0, 0.94), (0, 1), 0, material=BRICK)
        return builder.box((-0.65, 0.65), (0.94, 1), (0, 1), 1).build()
    material = BARS if kind == 'bars' else WIRE
    builder.face([(0, 0.06, 0), (0, 0.06, 1), (0, 0.96, 1), (0, 0.96, 0)], 0, material=material, flat=True)
    for low, high in ((0.94, 1.0), (0.06, 0.12)):
        builder.face([(0, low, 0), (0, low, 1), (0, high, 1), (0, high, 0)], 1, flat=True)
    for z in (0.0, 0.5, 1.0):
        builder.face([(0, 0, z - 0.012), (0, 0, z + 0.012), (0, 1, z + 0.012), (0, 1, z - 0.012)], 1, flat=True)
    return builder.build()


@cache
def guard_rail() -> Template:
    """A steel guard rail along z from 0 to 1, 1 high: a band on posts."""
    builder = TemplateBuilder(labels.FENCE, (0.0, 0.5, 0.5))
    for z in np.arange(0.05, 1.0, 0.15):
        builder.face([(0, 0, z), (0, 0, z + 0.02), (0, 0.6, z + 0.02), (0, 0.6, z)], 1, flat=True)
    for low, high, slot in ((0.45, 0.75, 0), (0.68, 0.78, 1), (0.75, 1.0, 0)):
        builder.face([(0, low, 0), (0, low, 1), (0, high, 1), (0, high, 0)], slot, flat=True)
    return builder.build()


@cache
def lamp(kind: str) -> Template:
    """A street lamp with an `arm` to the left, or a low `post` one; a bare `mast` or `bollard`; slots: pole, light."""
    builder = TemplateBuilder(labels.POLE, (0.0, 0.5, -1.0))
    if kind == 'bollard':
        return builder.flat(limb(0, 0, 0, 0.95, 0.13, 0.12), 0).flat(limb(0, 0.72, 0, 0.82, 0.13, 0.13), 1).build()
    height = {'arm': 8.0, 'post': 4.2, 'mast': 9.0}[kind]
    builder.flat(limb(0, 0, 0, 1.0, 0.3, 0.26), 0)
    builder.flat(limb(0, 0.9, 0, height, 0.22, 0.14), 0)
    if kind == 'arm':
        builder.flat(limb(0, height - 0.05, -1.9, height + 0.35, 0.12, 0.1), 0)
        builder.flat(limb(-1.7, height + 0.3, -2.5, height + 0.38, 0.17, 0.22), 1)
    elif kind == 'post':
        builder.flat(ellipse(0, height + 0.1, 0.2, 0.3, 8), 1)
    else:
        builder.flat(limb(-0.9, height - 0.6, 0.9, height - 0.6, 0.08, 0.08), 0)
    return builder.build()


@cache
def traffic_light(kind: str, state: int) -> Template:
    """A traffic light on its `post` or on an `arm` over the road (to the left).

    Slots: pole, box, off, red, amber, green. State 0 red, 1 amber, 2 green, 3 seen from behind.
    """
    builder = TemplateBuilder(labels.POLE, (0.0, 0.5, -1.0))
    height = {'post': 3.3, 'arm': 5.6}[kind]
    builder.flat(limb(0, 0, 0, height, 0.18, 0.15), 0)
    places = [(0.0, height - 0.85)]
    if kind == 'arm':
        builder.flat(limb(0, 5.5, -4.6, 5.75, 0.14, 0.1), 0)
        places = [(0.0, 2.4), (-4.3, 4.9), (-2.4, 4.8)]
    builder.label = labels.TRAFFIC_LIGHT
    for x, low in places:
        builder.flat([(x - 0.2, low), (x + 0.2, low), (x + 0.2, low + 1.0), (x - 0.2, low + 1.0)], 1)
        for i in range(3 if state < 3 else 0):
            builder.flat(ellipse(x, low + 0.83 - 0.33 * i, 0.13, 0.13, 8), 3 + i if i == state else 2)
    return builder.build()


@cache
def sign(kind: str) -> Template:
    """A traffic sign on its post; slots: pole, back, white, red, blue, yellow, green, dark.

    Kinds: `stop`, `ban`, `yield`, `priority`, `parking`, `speed`, `arrow`, `board` (large, on two posts) and `back`.
    """
    builder = TemplateBuilder(labels.POLE, (0.0, 0.5, -1.0))
    if kind == 'board':
        for x in (-1.1, 1.1):
            builder.flat(limb(x, 0, x, 2.6, 0.12, 0.12), 0)
        builder.label = labels.TRAFFIC_SIGN
        builder.flat([(-1.7, 2.3), (1.7, 2.3), (1.7, 3.9), (-1.7, 3.9)], 2)
        builder.flat([(-1.63, 2.37), (1.63, 2.37), (1.63, 3.83), (-1.63, 3.83)], 6)
        for y, x0, x1 in ((3.4, -1.3, 0.6), (2.95, -1.3, 1.1), (2.55, -1.3, 0.2)):
            builder.flat(limb(x0, y, x1, y, 0.2, 0.2), 2)
        return builder.build()
    builder.flat(limb(0, 0, 0, 2.7, 0.11, 0.1), 0)
    builder.label = labels.TRAFFIC_SIGN
    y, r = 2.45, 0.42
    if kind == 'stop':
        builder.flat(ellipse(0, y, r, r, 8, 0.3927, 0.3927 + 2 * np.pi), 3)
        builder.flat(limb(-0.27, y, 0.27, y, 0.15, 0.15), 2)
    elif kind == 'ban':
        builder.flat(ellipse(0, y, r, r, 14), 3)
        builder.flat(limb(-0.3, y, 0.3, y, 0.16, 0.16), 2)
    elif kind == 'speed':
        builder.flat(ellipse(0, y, r, r, 14), 3).flat(ellipse(0, y, r * 0.74, r * 0.74, 12), 2)
        builder.flat(limb(-0.12, y, 0.12, y, 0.26, 0.26), 7)
    elif kind == 'yield':
        builder.flat([(-0.5, y + 0.38), (0.5, y + 0.38), (0, y - 0.46)], 3)
        builder.flat([(-0.28, y + 0.25), (0.28, y + 0.25), (0, y - 0.2)], 2)
    elif kind == 'priority':
        builder.flat([(0, y - 0.48), (0.48, y), (0, y + 0.48), (-0.48, y)], 2)
        builder.flat([(0, y - 0.36), (0.36, y), (0, y + 0.36), (-0.36, y)], 5)
    elif kind in ('parking', 'arrow'):
        ring = [(-r, y - r), (r, y - r), (r, y + r), (-r, y + r)] if kind == 'parking' else ellipse(0, y, r, r, 14)
        builder.flat(ring, 4)
        builder.flat(limb(-0.1, y - 0.25, -0.1, y + 0.27, 0.12, 0.12), 2)
        builder.flat(limb(-0.1, y + 0.13, 0.18, y + 0.13, 0.3, 0.2), 2)
    else:
        builder.flat(ellipse(0, y, r, r, 12), 1)
    return builder.build()


@cache
def bin_or_box() -> Template:
    """A litter bin or switch box of the unit cube: no class of its own (label `static`)."""
    return TemplateBuilder(labels.STATIC).box((-0.5, 0.5), (0, 1), (-0.5, 0.5), 0).build()
