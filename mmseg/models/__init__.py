"""Networks and training methods; importing this package fills the registry of models."""

from mmseg.models import backbones, data_preprocessor, decode_heads, losses, necks, segmentors, uda

__all__ = ['backbones', 'data_preprocessor', 'decode_heads', 'losses', 'necks', 'segmentors', 'uda']
