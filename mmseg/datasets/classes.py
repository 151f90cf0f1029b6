"""Class names and colours that several datasets share."""

from __future__ import annotations

# Cityscapes' 19 evaluated classes, train id -> colour (RGB); dicts keep the order of the train ids.
CITYSCAPES_COLOURS = {
    'road': (128, 64, 128),
    'sidewalk': (244, 35, 232),
    'building': (70, 70, 70),
    'wall': (102, 102, 156),
    'fence': (190, 153, 153),
    'pole': (153, 153, 153),
    'traffic light': (250, 170, 30),
    'traffic sign': (220, 220, 0),
    'vegetation': (107, 142, 35),
    'terrain': (152, 251, 152),
    'sky': (70, 130, 180),
    'person': (220, 20, 60),
    'rider': (255, 0, 0),
    'car': (0, 0, 142),
    'truck': (0, 0, 70),
    'bus': (0, 60, 100),
    'train': (0, 80, 100),
    'motorcycle': (0, 0, 230),
    'bicycle': (119, 11, 32),
}
CITYSCAPES_METAINFO = {
    'classes': tuple(CITYSCAPES_COLOURS),
    'palette': [list(colour) for colour in CITYSCAPES_COLOURS.values()],
}

# SYNTHIA's images have no terrain, truck and train: 16 classes, renumbered, for networks trained on them alone (ProCA).
SYNTHIA_CLASSES = tuple(name for name in CITYSCAPES_COLOURS if name not in ('terrain', 'truck', 'train'))
SYNTHIA_LABEL_MAP = {name: name if name in SYNTHIA_CLASSES else None for name in CITYSCAPES_COLOURS}


def distinct_palette(num_classes: int) -> list[list[int]]:
    """RGB colours for classes without a palette: the bits of class numbers over three channels, as in PASCAL VOC."""
    palette = []
    for number in range(1, num_classes + 1):
        colour = [0, 0, 0]
        for bit in range(8):
            for channel in range(3):
                colour[channel] |= (number >> (3 * bit + channel) & 1) << (7 - bit)
        palette.append(colour)
    return palette
