"""Vehicles on the carriageway and people on it and beside it."""

import numpy as np

from . import people, vehicles
from .street import KERB, Street

_SKIN = ((222, 178, 148), (190, 140, 108), (140, 96, 70), (236, 196, 168))
_HAIR = ((48, 36, 28), (28, 24, 24), (120, 88, 52), (170, 140, 90), (110, 108, 106))
_SPECIAL_BODIES = {
    # Buses and trams wear an operator's colours, lorries often white ones.
    'bus': ((214, 170, 40), (196, 60, 44), (226, 226, 222), (60, 120, 160), (120, 150, 70)),
    'train': ((196, 52, 44), (238, 200, 60), (70, 150, 170), (206, 206, 204)),
}


def add_vehicle(street: Street, kind: str, x: float, z: float, yaw: float) -> float:
    """Place a vehicle with its rear or front end at z (sideways: its middle); returns its length in metres."""
    style, rng = street.style, street.rng
    palette = style.palette
    size = street.between(style.vehicle_scale)
    muted = style.saturation if style.photographic else 1.0
    stripe = street.color(palette.vehicle)
    if kind in ('bus', 'train'):
        body = street.color(_SPECIAL_BODIES[kind], 0.05)
        body = body.mean() + (body - body.mean()) * muted
        if style.photographic:
            body = body * 0.8
        template = vehicles.bus('city' if rng.random() < 0.75 else 'coach')
        if kind == 'train':
            template = vehicles.train('tram' if style.photographic or rng.random() < 0.4 else 'rail')
    elif kind == 'truck':
        body = street.color(palette.vehicle)
        stripe = street.color(((226, 226, 222), (196, 196, 192), (70, 100, 150), (160, 120, 80), (90, 110, 90)))
        template = vehicles.truck(('box', 'tipper', 'trailer')[int(rng.choice(3, p=[0.6, 0.2, 0.2]))])
    else:
        body = street.color(palette.vehicle)
        template = vehicles.car(kind)
    window = (34, 40, 46) if style.photographic else (40, 54, 70)
    colors = vehicles.slot_colors(body, stripe, window)
    length = float(template.high[2] - template.low[2]) * size
    sideways = abs(np.sin(yaw)) > 0.5
    street.add(template, x, z if sideways else z + length / 2, colors, scale=(size, size, size), yaw=yaw)
    return length


def add_traffic(street: Street) -> None:
    """Fill the lanes, the tram line and the cross street."""
    style, rng = street.style, street.rng
    for x, way in street.lanes:
        ours = abs(x) < street.lane / 2
        z = rng.uniform(9, 32) if ours else rng.uniform(-4, 24)
        gap = 100.0 / style.traffic
        while z < 110:
            kind = street.pick(style.traffic_kinds)
            wobble = rng.normal(0, 0.2)
            yaw = (0.0 if way > 0 else np.pi) + rng.normal(0, 0.015)
            z += add_vehicle(street, kind, x + wobble, z, yaw)
            z += 3.0 + rng.exponential(gap)
    if street.track is not None and rng.random() < 0.8:
        add_vehicle(street, 'train', street.track, rng.uniform(6, 40), 0.0 if rng.random() < 0.5 else np.pi)
    if street.crossing:
        middle, quarter = sum(street.crossing) / 2, (street.crossing[1] - street.crossing[0]) / 4
        for way in (-1, 1):
            for _ in range(int(rng.random() < 0.45)):
                kind = street.pick(style.traffic_kinds)
                if rng.random() < style.tram_line * 0.5:
                    kind = 'train'
                x = rng.uniform(-16, 16)
                add_vehicle(street, kind, x, middle - way * quarter, way * np.pi / 2 + rng.normal(0, 0.05))


def _figure_colors(street: Street, machine=None, light=(170, 30, 26)) -> np.ndarray:
    clothes = street.style.palette.clothes
    return people.slot_colors(
        street.color(_SKIN),
        street.color(_HAIR),
        street.color(clothes, 0.1),
        street.color(clothes, 0.1) * 0.75,
        street.color(clothes, 0.1),
        street.color(street.style.palette.vehicle if machine is None else machine),
        light,
    )


def add_people(street: Street, pavements: list[tuple[int, float, float]]) -> None:
    """People on the pavements and crossing the street; riders; parked two-wheelers."""
    style, rng = street.style, street.rng
    placed = 0
    total = rng.poisson(style.people)
    while placed < total:
        if rng.random() < 0.16:
            group, y = 1, 0.0
            x = rng.uniform(street.left, street.right)
            z = rng.uniform(8, 30)
            if street.crossing and rng.random() < 0.6 and street.crossing[0] > 14:
                z = street.crossing[0] - rng.uniform(1.5, 4)
            if _occupied(street, x, z):
                placed += 1
                continue
        else:
            sign, inner, outer = pavements[int(rng.integers(2))]
            group, y = int(rng.integers(1, 4)), KERB
            x, z = sign * rng.uniform(inner, max(outer, inner + 0.2)), 4.5 + 34 * rng.random() ** 1.4
            if street.in_crossing(z):
                y = 0.0
        for _ in range(group):
            size = street.between(style.person_scale) * (0.68 if rng.random() < 0.07 else 1.0)
            mirrored = size if rng.random() < 0.5 else -size
            mirrored *= rng.uniform(0.92, 1.12)
            template = people.person(int(rng.integers(8)))
            where = (x + rng.uniform(-0.6, 0.6), z + rng.uniform(-0.7, 0.7))
            street.add(template, *where, _figure_colors(street), y=y, scale=(mirrored, size, 1))
            placed += 1
    for _ in range(rng.poisson(style.riders)):
        kind = 'bicycle' if rng.random() < 0.62 else 'motorcycle'
        z = rng.uniform(6.5, 22)
        x = rng.choice([street.right - 0.7, street.left + 0.7, rng.uniform(street.left, street.right)])
        if not _occupied(street, x, z):
            _two_wheeler(street, kind, x, z, 0.0, ridden=True)
    for kind, mean in (('bicycle', style.parked_bikes), ('motorcycle', style.parked_motorcycles)):
        for _ in range(rng.poisson(mean)):
            sign, inner, outer = pavements[int(rng.integers(2))]
            z = rng.uniform(5, 20)
            if street.in_crossing(z, 1.0):
                continue
            x = sign * (outer - 0.2 if rng.random() < 0.5 else inner - 0.1)
            for i in range(int(rng.integers(1, 4 if kind == 'bicycle' else 3))):
                _two_wheeler(street, kind, x + rng.normal(0, 0.15), z + 0.9 * i, KERB, ridden=False)


def _two_wheeler(street: Street, kind: str, x: float, z: float, y: float, ridden: bool) -> None:
    rng = street.rng
    sideways = rng.random() < (0.6 if ridden else 0.8)
    size = street.between(street.style.person_scale)
    oblique = rng.uniform(0.55, 1.0) if sideways else 1.0
    mirrored = oblique * size if rng.random() < 0.5 else -oblique * size
    oncoming = rng.random() < 0.4
    colors = _figure_colors(street, light=(250, 246, 220) if oncoming else (180, 28, 26))
    template = people.two_wheeler(kind, sideways, ridden)
    street.add(template, x, z, colors, y=y, scale=(mirrored, size, 1.0))


def _occupied(street: Street, x: float, z: float) -> bool:
    """Whether something stands at (x, z)."""
    x = x + street.shift(z)
    for thing in street.things:
        x0, x1, z0, z1 = thing.footprint
        if x0 - 0.5 < x < x1 + 0.5 and z0 - 0.8 < z < z1 + 0.8:
            return True
    return False
