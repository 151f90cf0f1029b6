"""Necks: between encoder and decode head."""

from mmseg.models.necks.level_norm import LevelNorm
from mmseg.models.necks.segformer_adapter import SegFormerAdapter

__all__ = ['LevelNorm', 'SegFormerAdapter']
