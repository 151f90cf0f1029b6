"""Encoders: images to levels of features."""

from mmseg.models.backbones.backbone import Backbone
from mmseg.models.backbones.mix_transformer import MixVisionTransformer

__all__ = ['Backbone', 'MixVisionTransformer']
