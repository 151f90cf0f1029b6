"""Decode heads: from the encoder's levels to class scores."""

from mmseg.models.decode_heads.aspp import ASPPHead
from mmseg.models.decode_heads.cascade_decode_head import CascadeDecodeHead
from mmseg.models.decode_heads.da import DAHead
from mmseg.models.decode_heads.daformer import DAFormerHead
from mmseg.models.decode_heads.decode_head import BaseDecodeHead, HeadOutput
from mmseg.models.decode_heads.dlv2 import DLV2Head
from mmseg.models.decode_heads.dlv2_adapter import DLV2AdapterHead
from mmseg.models.decode_heads.fcn import FCNHead
from mmseg.models.decode_heads.hrda import HRDAHead
from mmseg.models.decode_heads.isa import ISAHead
from mmseg.models.decode_heads.pbal import PBALDeepLabV3PlusHead
from mmseg.models.decode_heads.pmdav2 import PMDAV2
from mmseg.models.decode_heads.proda import ProDAHead
from mmseg.models.decode_heads.psp import PSPHead
from mmseg.models.decode_heads.segformer import SegFormerHead
from mmseg.models.decode_heads.sep_aspp import DepthwiseSeparableASPPHead
from mmseg.models.decode_heads.uper import UPerHead

__all__ = [
    'ASPPHead',
    'PMDAV2',
    'BaseDecodeHead',
    'CascadeDecodeHead',
    'DAFormerHead',
    'DAHead',
    'DLV2AdapterHead',
    'DLV2Head',
    'DepthwiseSeparableASPPHead',
    'FCNHead',
    'HRDAHead',
    'HeadOutput',
    'ISAHead',
    'PBALDeepLabV3PlusHead',
    'PSPHead',
    'ProDAHead',
    'SegFormerHead',
    'UPerHead',
]
