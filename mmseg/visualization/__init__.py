"""Pictures of label maps, of training steps and of results."""

from mmseg.visualization.overlay import overlay
from mmseg.visualization.palette import colorize, save_palette_png, save_png
from mmseg.visualization.panels import denormalize, training_panel
from mmseg.visualization.sheet import qualitative_sheet

__all__ = [
    'colorize',
    'denormalize',
    'overlay',
    'qualitative_sheet',
    'save_palette_png',
    'save_png',
    'training_panel',
]
