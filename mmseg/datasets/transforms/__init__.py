"""Steps of a data pipeline."""

from mmseg.datasets.transforms.base import Compose, Transform
from mmseg.datasets.transforms.color_jitter import ColorJitter
from mmseg.datasets.transforms.depth import LoadDepth
from mmseg.datasets.transforms.formatting import PackSegInputs, PackTrainInputs
from mmseg.datasets.transforms.geometry import Pad, PadAround, RandomCrop, RandomFlip
from mmseg.datasets.transforms.loading import LoadAnnotations, LoadImageFromFile
from mmseg.datasets.transforms.margins import PseudoMargins
from mmseg.datasets.transforms.photometric import PhotoMetricDistortion
from mmseg.datasets.transforms.pseudo_labels import LoadPseudoLabels
from mmseg.datasets.transforms.resize import Resize, TestTimeScales
from mmseg.datasets.transforms.whole_image import KeepWholeImage, LoadSoftLabels

__all__ = [
    'ColorJitter',
    'Compose',
    'KeepWholeImage',
    'LoadAnnotations',
    'LoadDepth',
    'LoadImageFromFile',
    'LoadSoftLabels',
    'PackSegInputs',
    'PackTrainInputs',
    'LoadPseudoLabels',
    'Pad',
    'PadAround',
    'PhotoMetricDistortion',
    'PseudoMargins',
    'RandomCrop',
    'RandomFlip',
    'Resize',
    'TestTimeScales',
    'Transform',
]
