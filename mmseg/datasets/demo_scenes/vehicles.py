"""Templates of cars, trucks, buses and trams. Heading along z; sizes in metres."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from . import labels
from .mesh import GLASS, PLAIN, Template, TemplateBuilder

# Colour slots of every vehicle.
BODY, SHADE, WINDOW, TYRE, METAL, REAR_LIGHT, HEADLIGHT, STRIPE = range(8)


def slot_colors(body: Sequence[float], stripe: Sequence[float], window: Sequence[float]) -> np.ndarray:
    """Colours (8, 3) for the slots of a vehicle."""
    body = np.asarray(body, dtype=np.float32)
    return np.array(
        [body, body * 0.72, window, (24, 24, 26), (150, 152, 156), (190, 24, 20), (245, 244, 225), stripe],
        dtype=np.float32,
    )


def disc(x: float, y: float, z: float, radius: float, corners: int = 12) -> list[tuple[float, float, float]]:
    """A disc in the y-z plane at the given x."""
    angles = np.arange(corners) * (2 * np.pi / corners)
    return [(x, y + radius * float(np.sin(a)), z + radius * float(np.cos(a))) for a in angles]


def _wheels(builder: TemplateBuilder, half_width: float, positions: Sequence[float], radius: float) -> None:
    for side in (-1, 1):
        x = side * (half_width + 0.01)
        for z in positions:
            builder.face(disc(x, radius, z, radius), TYRE)
            builder.face(disc(x + side * 0.01, radius, z, radius * 0.58), METAL)


def _side_panel(builder: TemplateBuilder, x: float, z: Sequence[float], y: Sequence[float], slot: int, material=PLAIN):
    for side in (-x, x):
        corners = [(side, y[0], z[0]), (side, y[0], z[1]), (side, y[1], z[1]), (side, y[1], z[0])]
        builder.face(corners, slot, material=material)


def _end_panel(builder: TemplateBuilder, z: float, x: Sequence[float], y: Sequence[float], slot: int, material=PLAIN):
    builder.face([(x[0], y[0], z), (x[1], y[0], z), (x[1], y[1], z), (x[0], y[1], z)], slot, material=material)


def _lights(builder: TemplateBuilder, half_width: float, front: float, rear: float, y: float, height: float) -> None:
    for side in (-1, 1):
        outer, inner = side * half_width * 0.95, side * half_width * 0.62
        _end_panel(builder, rear - 0.015, sorted((outer, inner)), (y, y + height), REAR_LIGHT)
        _end_panel(builder, front + 0.015, sorted((outer, inner)), (y, y + height), HEADLIGHT)


@cache
def car(kind: str) -> Template:
    """A passenger car: `sedan`, `hatchback`, `suv` or `van`."""
    # Height of bonnet, belt line and roof; z of windscreen foot and head, rear window head and foot; length, width.
    bonnet, belt, roof, screen, head, tail_head, tail, length, width = {
        'sedan': (0.78, 0.92, 1.43, 0.85, 0.2, -1.0, -1.65, 4.6, 1.8),
        'hatchback': (0.82, 0.95, 1.48, 0.95, 0.35, -1.35, -1.85, 4.0, 1.75),
        'suv': (0.98, 1.08, 1.75, 0.95, 0.4, -1.95, -2.2, 4.6, 1.9),
        'van': (1.05, 1.2, 2.05, 1.75, 1.15, -2.35, -2.45, 5.0, 1.95),
    }[kind]
    front, rear, w = length / 2, -length / 2, width / 2
    low, top_w = 0.28, w * 0.8
    builder = TemplateBuilder(labels.CAR, (0.0, 0.8, 0.0))
    builder.box((-w * 0.92, w * 0.92), (0.08, low + 0.1), (rear + 0.1, front - 0.1), TYRE)
    # Lower body: front, rear, sides; then the bonnet and the boot lid.
    builder.face([(-w, low, front), (w, low, front), (w, bonnet - 0.08, front), (-w, bonnet - 0.08, front)], BODY)
    builder.face([(-w, low, rear), (w, low, rear), (w, belt - 0.04, rear), (-w, belt - 0.04, rear)], BODY)
    for side in (-w, w):
        outline = [(low, rear), (low, front), (bonnet - 0.08, front), (bonnet, front - 0.25), (belt, screen)]
        outline += [(belt, tail), (belt - 0.04, rear)]
        builder.face([(side, y, z) for y, z in outline], BODY)
    deck = [(bonnet - 0.08, front), (bonnet, front - 0.25), (belt, screen)]
    for (y0, z0), (y1, z1) in zip(deck, deck[1:], strict=False):
        builder.face([(-w, y0, z0), (w, y0, z0), (w, y1, z1), (-w, y1, z1)], BODY)
    builder.face([(-w, belt, tail), (w, belt, tail), (w, belt - 0.04, rear), (-w, belt - 0.04, rear)], BODY)
    _end_panel(builder, rear - 0.01, (-w, w), (low, low + 0.2), SHADE)
    _end_panel(builder, front + 0.01, (-w, w), (low, low + 0.2), SHADE)
    _end_panel(builder, front + 0.01, (-w * 0.55, w * 0.55), (low + 0.22, bonnet - 0.16), TYRE)
    _end_panel(builder, rear - 0.015, (-0.26, 0.26), (low + 0.26, low + 0.38), HEADLIGHT)
    _lights(builder, w, front, rear, belt - 0.32 if kind != 'van' else 0.75, 0.18 if kind != 'van' else 0.45)
    _wheels(builder, w, (front - 0.85, rear + 0.85), 0.32 if kind != 'suv' else 0.37)
    # Cabin: windscreen, rear window, tapered sides with windows, roof.
    rim = 0.07
    for foot, top in ((screen, head), (tail, tail_head)):
        quad = [(-w * 0.97, belt, foot), (w * 0.97, belt, foot), (top_w, roof, top), (-top_w, roof, top)]
        builder.face(quad, BODY)
        glass = [(-w * 0.86, belt + rim, foot), (w * 0.86, belt + rim, foot)]
        glass += [(top_w * 0.92, roof - rim, top), (-top_w * 0.92, roof - rim, top)]
        slope = (top - foot) / (roof - belt)
        out = 0.015 if foot > 0 else -0.015
        builder.face([(x, y, foot + (y - belt) * slope + out) for x, y, _ in glass], WINDOW, material=GLASS)
    for side in (-1, 1):

        def at(y: float, z: float, side: int = side, out: float = 0.0) -> tuple[float, float, float]:
            return (side * (w + (top_w - w) * (y - belt) / (roof - belt) + out), y, z)

        builder.face([at(belt, screen), at(belt, tail), at(roof, tail_head), at(roof, head)], BODY)
        y0, y1, middle = belt + 0.05, roof - 0.09, (head + tail_head) / 2 + 0.1
        panes = [(screen - 0.2, middle + 0.05, middle + 0.05, head - 0.02)]
        if kind != 'van':
            panes.append((middle - 0.05, tail + 0.25, tail_head + 0.1, middle - 0.05))
        for z0, z1, z2, z3 in panes:
            pane = [at(y0, z0, out=0.01), at(y0, z1, out=0.01), at(y1, z2, out=0.01), at(y1, z3, out=0.01)]
            builder.face(pane, WINDOW, material=GLASS)
    builder.face([(-top_w, roof, head), (top_w, roof, head), (top_w, roof, tail_head), (-top_w, roof, tail_head)], BODY)
    return builder.build()


@cache
def truck(kind: str) -> Template:
    """A lorry with a closed `box`, a `tipper`, or a long `trailer`."""
    length, height, width = {'box': (7.5, 3.3, 2.4), 'tipper': (7.0, 2.5, 2.5), 'trailer': (12.5, 3.8, 2.5)}[kind]
    front, rear, w = length / 2, -length / 2, width / 2
    cab = front - 1.9
    cab_height = min(2.75, height)
    builder = TemplateBuilder(labels.TRUCK, (0.0, 1.5, 0.0))
    builder.box((-w * 0.8, w * 0.8), (0.35, 0.95), (rear + 0.1, front - 0.1), TYRE)
    builder.box((-w * 0.95, w * 0.95), (0.55, cab_height), (cab, front), BODY)
    _end_panel(builder, front + 0.01, (-w * 0.85, w * 0.85), (1.55, cab_height - 0.25), WINDOW, GLASS)
    _end_panel(builder, front + 0.01, (-w * 0.7, w * 0.7), (0.8, 1.25), TYRE)
    _side_panel(builder, w * 0.95 + 0.01, (cab + 0.55, front - 0.2), (1.6, cab_height - 0.3), WINDOW, GLASS)
    builder.box((-w, w), (0.95, height), (rear, cab - 0.2), STRIPE)
    if kind == 'tipper':
        for z in np.arange(rear + 0.5, cab - 0.4, 0.9):
            _side_panel(builder, w + 0.02, (z, z + 0.12), (0.95, height), SHADE)
    else:
        _end_panel(builder, rear - 0.01, (-0.03, 0.03), (1.0, height - 0.1), SHADE)
        for x in (-w * 0.5, w * 0.5):
            _end_panel(builder, rear - 0.01, (x - 0.03, x + 0.03), (1.0, height - 0.1), METAL)
        _side_panel(builder, w + 0.01, (rear + 0.6, cab - 1.0), (height * 0.5, height * 0.72), BODY)
    _end_panel(builder, rear - 0.02, (-w, w), (0.72, 0.95), TYRE)
    _lights(builder, w, front, rear - 0.01, 0.75, 0.18)
    axles = [front - 1.1, rear + 1.2] + ([rear + 2.5] if kind == 'trailer' else [])
    _wheels(builder, w, axles, 0.5)
    return builder.build()


@cache
def bus(kind: str) -> Template:
    """A `city` bus, or a `coach` (higher, dark window band)."""
    length, height = {'city': (11.5, 3.05), 'coach': (12.0, 3.5)}[kind]
    sill = {'city': 1.15, 'coach': 1.75}[kind]
    front, rear, w = length / 2, -length / 2, 1.27
    builder = TemplateBuilder(labels.BUS, (0.0, 1.5, 0.0))
    builder.box((-w, w), (0.3, height), (rear, front), BODY, top=METAL)
    _side_panel(builder, w + 0.01, (rear, front), (0.3, 0.75), STRIPE)
    _side_panel(builder, w + 0.01, (rear + 0.4, front - 0.3), (sill, height - 0.45), WINDOW, GLASS)
    for z in np.linspace(rear + 1.6, front - 1.6, 6):
        _side_panel(builder, w + 0.02, (z - 0.06, z + 0.06), (sill, height - 0.45), BODY)
    for z in (front - 1.5, -0.6):
        _side_panel(builder, w + 0.02, (z, z + 1.1), (0.45, height - 0.5), WINDOW, GLASS)
    _end_panel(builder, front + 0.01, (-w * 0.92, w * 0.92), (1.05, height - 0.6), WINDOW, GLASS)
    _end_panel(builder, front + 0.01, (-w * 0.7, w * 0.7), (height - 0.5, height - 0.15), REAR_LIGHT)
    _end_panel(builder, rear - 0.01, (-w * 0.85, w * 0.85), (1.75, height - 0.55), WINDOW, GLASS)
    _end_panel(builder, rear - 0.01, (-w * 0.8, w * 0.8), (0.65, 1.35), SHADE)
    _end_panel(builder, rear - 0.01, (-w, w), (0.3, 0.55), STRIPE)
    _lights(builder, w, front, rear, 0.8, 0.3)
    _wheels(builder, w, (front - 2.5, rear + 3.0), 0.48)
    return builder.build()


@cache
def train(kind: str) -> Template:
    """A `tram` of three low cars, or a `rail` train of higher ones: long, on rails, roof gear, no wheels to be seen."""
    cars, length, height, floor = {'tram': (3, 9.0, 3.3, 0.25), 'rail': (3, 13.0, 3.9, 0.7)}[kind]
    w = 1.3
    front, rear = cars * length / 2, -cars * length / 2
    builder = TemplateBuilder(labels.TRAIN, (0.0, 1.5, 0.0))
    builder.box((-w * 0.75, w * 0.75), (0.05, floor + 0.1), (rear + 0.5, front - 0.5), TYRE)
    for i in reversed(range(cars)):
        z0, z1 = rear + i * length + 0.25, rear + (i + 1) * length - 0.25
        if i:
            builder.box((-w * 0.8, w * 0.8), (floor, height - 0.2), (z0 - 0.5, z0), TYRE)
        builder.box((-w, w), (floor, height), (z0, z1), BODY, top=SHADE)
        _side_panel(builder, w + 0.01, (z0, z1), (floor, floor + 0.55), STRIPE)
        _side_panel(builder, w + 0.01, (z0 + 0.3, z1 - 0.3), (floor + 1.05, height - 0.6), WINDOW, GLASS)
        for z in np.linspace(z0 + 1.3, z1 - 2.4, 3):
            _side_panel(builder, w + 0.02, (z, z + 1.2), (floor + 0.1, height - 0.5), STRIPE)
            _side_panel(builder, w + 0.03, (z + 0.12, z + 1.08), (floor + 0.8, height - 0.65), WINDOW, GLASS)
        builder.box((-0.7, 0.7), (height, height + 0.35), (z0 + 1.5, z1 - 1.5), METAL)
    for end, out in ((front - 0.25, 0.01), (rear + 0.25, -0.01)):
        _end_panel(builder, end + out, (-w * 0.88, w * 0.88), (floor + 0.95, height - 0.55), WINDOW, GLASS)
        _end_panel(builder, end + out, (-w, w), (floor, floor + 0.55), STRIPE)
        _end_panel(builder, end + out, (-w * 0.45, w * 0.45), (height - 0.42, height - 0.14), TYRE)
        for x in (-w * 0.8, w * 0.55):
            light = HEADLIGHT if out > 0 else REAR_LIGHT
            _end_panel(builder, end + 2 * out, (x, x + 0.3), (floor + 0.62, floor + 0.82), light)
    # Pantograph.
    builder.face([(-0.9, height + 1.2, 0), (0.9, height + 1.2, 0), (0.9, height + 1.3, 0)], METAL, flat=True)
    for x in (-0.45, 0.45):
        arm = [(x - 0.04, height + 0.3, 0), (x + 0.04, height + 0.3, 0), (-x + 0.04, height + 1.2, 0)]
        builder.face([*arm, (-x - 0.04, height + 1.2, 0)], METAL, flat=True)
    return builder.build()
