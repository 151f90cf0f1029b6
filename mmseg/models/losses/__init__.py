"""Losses of the decode heads, and the accuracy that is logged beside them."""

from mmseg.models.losses.accuracy import accuracy
from mmseg.models.losses.by_bands import cross_entropy_by_bands
from mmseg.models.losses.cross_entropy import CrossEntropyLoss
from mmseg.models.losses.lovasz import LovaszLoss

__all__ = ['CrossEntropyLoss', 'LovaszLoss', 'accuracy', 'cross_entropy_by_bands']
