"""The domains of the demo: their cameras, street layouts, frequencies, colours and light."""

from .cityscapes import CITYSCAPES
from .gta import GTA
from .mapillary import MAPILLARY
from .style import Color, Range, Sky, Style
from .synthia import SYNTHIA

STYLES = {style.name: style for style in (GTA, SYNTHIA, CITYSCAPES, MAPILLARY)}

__all__ = ['STYLES', 'Color', 'Range', 'Sky', 'Style']
