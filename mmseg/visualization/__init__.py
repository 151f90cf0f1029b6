"""Pictures of label maps, of training steps and of results."""

from mmseg.visualization.legend import add_legend, all_classes, present_classes
from mmseg.visualization.overlay import overlay
from mmseg.visualization.palette import colorize, save_palette_png, save_picture, save_png
from mmseg.visualization.panels import denormalize, training_panel
from mmseg.visualization.sheet import qualitative_sheet

__all__ = [
    'add_legend',
    'all_classes',
    'colorize',
    'denormalize',
    'overlay',
    'present_classes',
    'qualitative_sheet',
    'save_palette_png',
    'save_picture',
    'save_png',
    'training_panel',
]
