"""What lies and stands beside the carriageway: pavements, verges, buildings, trees, walls, fences, poles and signs."""

import numpy as np

from . import labels, street_objects
from .mesh import ASPHALT, PLAIN
from .street import BEHIND, KERB, REACH, Street, surface


def build_sides(street: Street) -> list[tuple[int, float, float]]:
    """Add both roadsides; returns their pavements as (side -1 or 1, inner edge, outer edge), distances from x = 0."""
    return [_build_side(street, sign) for sign in (-1, 1)]


def close_view(street: Street) -> None:
    """Add what lies behind everything (to be painted first): open land, distant houses and woods."""
    style, rng = street.style, street.rng
    kind = labels.TERRAIN if style.terrain and rng.random() < 0.6 else labels.SIDEWALK
    color = street.color(style.palette.terrain if kind == labels.TERRAIN else style.palette.sidewalk)
    land = [(-400, BEHIND), (400, BEHIND), (400, 400), (-400, 400)]
    street.patch(land, kind, surface(kind), color, -0.02)
    x = -190.0
    while x < 190.0:
        width = rng.uniform(16, 40)
        z = rng.uniform(165, 215)
        if rng.random() < 0.45:
            _building(street, x, z, width, 12.0, rng.uniform(8, 26), False)
        else:
            height = rng.uniform(9, 16)
            for _ in range(2):
                _tree(street, x + rng.uniform(0, width), z - rng.uniform(1, 6), height * 1.1, 'round')
        x += width


def _build_side(street: Street, sign: int) -> tuple[int, float, float]:
    style, rng = street.style, street.rng
    palette = style.palette
    profile = street.pick(style.profiles)
    edge = street.right if sign > 0 else -street.left
    parking = 2.1 if street.chance(style.parked) and profile != 'open' else 0.0
    if parking:
        tone = street.color(palette.road)
        for z in street.stretches():
            _ground(street, sign, edge, edge + parking, z, labels.ROAD, tone, 0.0)
        _parked_lane(street, sign, edge + parking / 2)
        edge += parking
    verge = rng.uniform(1.2, 3.0) if style.terrain and profile in ('suburb', 'park', 'open') else 0.0
    verge *= float(rng.random() < 0.6)
    walk = street.between(style.sidewalk) * (0.7 if profile == 'open' else 1.0)
    garden = {'city': 0.0, 'suburb': rng.uniform(2, 6), 'park': rng.uniform(8, 16), 'open': rng.uniform(6, 14)}[profile]
    inner = edge + verge
    outer = inner + walk
    green = street.color(palette.terrain)
    pavement = street.color(palette.sidewalk)
    laid = ASPHALT if street.chance(style.asphalt_walks) else None
    beyond = labels.TERRAIN if style.terrain and profile != 'city' else labels.SIDEWALK
    plot = green if beyond == labels.TERRAIN else pavement
    for z in street.stretches():
        _ground(street, sign, outer, outer + max(garden, 30.0), z, beyond, plot, KERB)
        if verge:
            _ground(street, sign, edge, inner, z, labels.TERRAIN, green, KERB)
        _ground(street, sign, inner, outer, z, labels.SIDEWALK, pavement, KERB, laid)
        kerb = np.array([[edge, 0.0], [edge, KERB]])
        _kerb(street, sign * kerb[0, 0], z, pavement * 0.8)
    line = outer + garden
    for z in street.stretches():
        if profile in ('city', 'suburb'):
            _row_of_buildings(street, sign, line, z, detached=profile == 'suburb')
        else:
            _greenery(street, sign, outer + 1.0, line, z, dense=profile == 'park')
            if rng.random() < 0.6:
                _row_of_buildings(street, sign, line + rng.uniform(4, 12), z, detached=False)
        _barriers(street, sign, profile, edge, outer, z)
    tree_line = (edge + inner) / 2 if verge else edge + 0.7
    if street.chance(0.65 if profile != 'open' else 0.3):
        _tree_row(street, sign, tree_line)
    _furniture(street, sign, edge + 0.45, outer)
    return sign, inner + 0.8, outer - 0.3


def _ground(
    street: Street, sign: int, near: float, far: float, z, label: int, color, y: float, material: int | None = None
) -> None:
    x = (near, far) if sign > 0 else (-far, -near)
    street.strip(x, z, label, surface(label) if material is None else material, color, y)


def _kerb(street: Street, x: float, z, color) -> None:
    """The upright face of the kerb."""
    cuts = np.linspace(z[0], z[1], 7 if street.bend else 2).tolist()
    for z0, z1 in zip(cuts, cuts[1:], strict=False):
        a, b = x + street.shift(z0), x + street.shift(z1)
        street.patch([(x, z0), (x, z1), (x, z1), (x, z0)], labels.SIDEWALK, PLAIN, color)
        street.ground[-1].points[:] = [(a, 0, z0), (b, 0, z1), (b, KERB, z1), (a, KERB, z0)]


def _building(street: Street, x: float, z: float, width: float, depth: float, height: float, shop: bool) -> None:
    """A building whose lower left front corner is at (x, z); width along x, depth along z."""
    style, rng = street.style, street.rng
    palette = style.palette
    wall = street.color(palette.facade, 0.08)
    colors = np.stack([wall, street.color(palette.roof), wall * rng.uniform(0.6, 1.15)])
    storey = street.between(style.storey)
    frontage = min(width, depth)
    columns = max(round(frontage / street.between(style.window_pitch)), 1)
    ground_floor = rng.uniform(3.4, 4.4) if shop else 0.0
    storeys = max(round((height - ground_floor) / storey), 1)
    params = (frontage / columns, (height - ground_floor) / storeys, rng.uniform(0.35, 0.7), rng.uniform(0.45, 0.68))
    template = street_objects.building('flat' if rng.random() < style.flat_roof or height > 22 else 'gable')
    accent = tuple(street.color(palette.glass, 0.1).tolist())
    scale = (width, height, depth)
    street.add(template, x, z, colors, scale=scale, accent=accent, params=(*params, ground_floor))


def _row_of_buildings(street: Street, sign: int, line: float, z_range, detached: bool) -> None:
    style, rng = street.style, street.rng
    z = z_range[0] + rng.uniform(-6, 0)
    base = street.between(style.house_height if detached else style.building_height)
    while z < z_range[1] - 5:
        length = min(street.between(style.building_length) * (0.8 if detached else 1.0), z_range[1] - z)
        height = base * rng.uniform(0.75, 1.35)
        if not detached and rng.random() < 0.2:
            height = street.between(style.building_height)
        depth = rng.uniform(9, 16)
        setback = rng.uniform(0, 2.5) if detached else 0.0
        x = line + setback if sign > 0 else -line - setback - depth
        if length > 4:
            _building(street, x, z, depth, length, height, not detached and street.chance(style.shop))
        z += length
        if detached or rng.random() < style.gap:
            space = rng.uniform(3, 9) if detached else rng.uniform(4, 14)
            if z + space < z_range[1] and rng.random() < 0.7:
                _gap_filler(street, sign, line, z, space)
            z += space


def _gap_filler(street: Street, sign: int, line: float, z: float, space: float) -> None:
    rng = street.rng
    kind = street.pick({'tree': 3, 'wall': 1.5, 'fence': 1, 'nothing': 1})
    if kind == 'tree':
        for _ in range(2):
            height = street.between(street.style.tree_height)
            x = sign * (line + rng.uniform(2, 7))
            _tree(street, x, z + rng.uniform(0.2, 0.8) * space, height, street.pick(street.style.trees))
    elif kind != 'nothing':
        _barrier(street, kind, sign * (line + 0.4), z + 0.1, space - 0.2)


def _barrier(street: Street, kind: str, x: float, z: float, length: float) -> None:
    """A wall, fence, guard rail or hedge along the street, in pieces of at most 7 m."""
    style, rng = street.style, street.rng
    palette = style.palette
    tall = rng.uniform(*{'wall': (1.3, 3.0), 'fence': (1.0, 1.9), 'rail': (0.8, 0.9), 'hedge': (0.8, 1.9)}[kind])
    if kind == 'wall':
        surface_color = street.color(palette.wall, 0.08)
        colors = np.stack([surface_color, surface_color * 0.85])
        template, wide = street_objects.barrier('wall'), 0.3
    elif kind == 'hedge':
        colors = street.color(palette.foliage)[None]
        template, wide = street_objects.hedge(), rng.uniform(0.7, 1.4)
    else:
        color = street.color(palette.fence, 0.08) if kind == 'fence' else np.float32([150, 152, 154])
        colors = np.stack([color, color * 0.8])
        template = street_objects.guard_rail()
        if kind == 'fence':
            template = street_objects.barrier('bars' if rng.random() < 0.65 else 'wire')
        wide = 1.0
    pieces = max(int(np.ceil(length / 7.0)), 1)
    for i in range(pieces):
        piece = length / pieces
        street.add(template, x, z + i * piece, colors, y=KERB, scale=(wide, tall, piece))


def _barriers(street: Street, sign: int, profile: str, edge: float, outer: float, z_range) -> None:
    style, rng = street.style, street.rng
    start, end = max(z_range[0], 2.0), min(z_range[1], 85.0)
    if end - start < 8:
        return
    if profile == 'suburb' or (profile == 'park' and rng.random() < 0.6):
        kind = street.pick({'fence': 2 + style.fence, 'wall': 1.2 + style.wall, 'hedge': 1.5})
        _barrier(street, kind, sign * (outer + 0.3), start, end - start)
    elif profile == 'open' and rng.random() < 0.7:
        kind = street.pick({'rail': 2, 'fence': 1, 'wall': 1.2})
        _barrier(street, kind, sign * (outer + 0.3), start, end - start)
    elif profile == 'city' and rng.random() < style.wall:
        length = rng.uniform(8, 30)
        z = rng.uniform(start, max(end - length, start + 1))
        _barrier(street, 'wall', sign * (outer - 0.2), z, min(length, end - z))
    if profile in ('city', 'park') and rng.random() < style.fence:
        # Railings between carriageway and pavement.
        length = rng.uniform(8, 25)
        z = rng.uniform(start, max(end - length, start + 1))
        _barrier(street, 'fence', sign * (edge + 0.2), z, min(length, end - z))


def _tree(street: Street, x: float, z: float, height: float, kind: str) -> None:
    rng, palette = street.rng, street.style.palette
    leaves = street.color(palette.foliage, 0.08)
    colors = np.stack([street.color(palette.trunk), leaves * 0.68, leaves, np.minimum(leaves * 1.25, 250)])
    wide = height * rng.uniform(0.85, 1.2) * (1 if rng.random() < 0.5 else -1)
    if kind == 'palm':
        height *= 1.25
    template = street_objects.crown(kind, int(rng.integers(6)))
    street.add(template, x, z, colors, y=KERB, scale=(wide, height, 1.0), foot=0.2)


def _tree_row(street: Street, sign: int, x: float) -> None:
    style, rng = street.style, street.rng
    spacing, kind = street.between(style.tree_spacing), street.pick(style.trees)
    height = street.between(style.tree_height)
    z = rng.uniform(3, 3 + spacing)
    while z < REACH:
        if not street.in_crossing(z, 3.0) and rng.random() < 0.8:
            _tree(street, sign * x, z + rng.normal(0, 0.5), height * rng.uniform(0.8, 1.15), kind)
        z += spacing * (1 if z < 60 else 1.8)


def _greenery(street: Street, sign: int, near: float, far: float, z_range, dense: bool) -> None:
    style, rng = street.style, street.rng
    z, step = max(z_range[0], 3.0) + rng.uniform(0, 4), 3.2 if dense else 9.0
    while z < z_range[1]:
        x = sign * rng.uniform(near + 1.0, far)
        if rng.random() < 0.72:
            _tree(street, x, z, street.between(style.tree_height), street.pick(style.trees))
        else:
            leaves = street.color(style.palette.foliage, 0.08)
            colors = np.stack([leaves, leaves * 0.7, leaves, np.minimum(leaves * 1.2, 250)])
            size = rng.uniform(0.8, 2.2)
            template = street_objects.bush(int(rng.integers(5)))
            street.add(template, x, z, colors, y=KERB, scale=(size * 1.2, size, 1.0), foot=0.3)
        z += step * rng.uniform(0.6, 1.4) * (1 if z < 50 else 2.0)


def _parked_lane(street: Street, sign: int, x: float) -> None:
    from .traffic import add_vehicle

    rng = street.rng
    z, dense = rng.uniform(-3, 6), rng.uniform(0.35, 0.95)
    yaw = 0.0 if sign > 0 or rng.random() < 0.3 else np.pi
    while z < 80:
        if rng.random() < dense and not street.in_crossing(z + 2.5, 7.0):
            z += add_vehicle(street, street.pick(street.style.parked_kinds), sign * x, z, yaw + rng.normal(0, 0.02))
        else:
            z += 5.0
        z += rng.uniform(0.7, 1.8)


def _furniture(street: Street, sign: int, kerb: float, outer: float) -> None:
    style, rng = street.style, street.rng
    palette = style.palette
    pole = street.color(palette.pole, 0.1)
    lamp_kind, spacing = street.pick(style.lamps), rng.uniform(16, 30)
    z = rng.uniform(5, 20)
    while z < 70:
        if not street.in_crossing(z, 1.0):
            colors = np.stack([pole, np.float32([226, 224, 210])])
            lamp = street_objects.lamp(lamp_kind)
            street.add(lamp, sign * kerb, z, colors, y=KERB, scale=(sign, 1, 1), foot=0.15)
        z += spacing
    plates = np.array([pole, (136, 138, 140), *palette.sign], dtype=np.float32)
    for _ in range(rng.poisson(style.sign_count / 2)):
        z = rng.uniform(6, 32)
        kind = 'back' if rng.random() < style.signs_seen_from_behind else street.pick(style.signs)
        if not street.in_crossing(z):
            x = sign * (kerb + rng.uniform(-0.1, 0.3) if kind != 'board' else outer)
            size = rng.uniform(0.95, 1.2)
            street.add(street_objects.sign(kind), x, z, plates, y=KERB, scale=(size, size, 1), foot=0.15)
    if street.crossing and rng.random() < 0.95:
        kind = street.pick(style.crossing_lights)
        # Our side's lights are seen from the front, the other side's from behind.
        state = int(rng.integers(3)) if sign > 0 or rng.random() < 0.4 else 3
        glows = ((38, 40, 40), (250, 50, 36), (255, 180, 40), (60, 235, 130))
        box = np.array([pole, palette.light_box, *glows], dtype=np.float32)
        lights = street_objects.traffic_light(kind, state)
        z = street.crossing[0] - 0.8 if kind == 'post' else street.crossing[1] + 0.8
        street.add(lights, sign * (kerb - 0.1), z, box, y=KERB, scale=(1.25 * sign, 1.25, 1), foot=0.15)
    if rng.random() < 0.35:
        for z in np.arange(rng.uniform(4, 15), rng.uniform(20, 40), rng.uniform(1.6, 2.6)).tolist():
            if not street.in_crossing(z):
                colors = np.stack([pole * 0.9, np.float32([216, 214, 208])])
                street.add(street_objects.lamp('bollard'), sign * kerb, z, colors, y=KERB)
    if rng.random() < 0.5:
        size = (rng.uniform(0.4, 1.0), rng.uniform(0.8, 1.5), rng.uniform(0.4, 0.8))
        color = street.color(palette.fence, 0.1)[None] * 0.9
        z = rng.uniform(6, 30)
        if not street.in_crossing(z, 1.0):
            street.add(street_objects.bin_or_box(), sign * (outer - 0.5), z, color, y=KERB, scale=size)
