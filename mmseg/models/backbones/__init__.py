"""Encoders: images to levels of features."""

from mmseg.models.backbones.backbone import Backbone
from mmseg.models.backbones.mix_transformer import MixVisionTransformer
from mmseg.models.backbones.resnet import ResNeSt, ResNet, ResNetV1c, ResNetV1d, ResNeXt
from mmseg.models.backbones.timm_backbone import TIMMBackbone

__all__ = [
    'Backbone',
    'MixVisionTransformer',
    'ResNeSt',
    'ResNeXt',
    'ResNet',
    'ResNetV1c',
    'ResNetV1d',
    'TIMMBackbone',
]
