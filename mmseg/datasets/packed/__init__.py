"""Packed copies of datasets: decoded and resized once, in few large files that are mapped into memory."""

from mmseg.datasets.packed.index import PackIndex
from mmseg.datasets.packed.reader import LoadPacked, read_from_pack
from mmseg.datasets.packed.settings import PackPlan
from mmseg.datasets.packed.writer import PackReport, pack

__all__ = ['LoadPacked', 'PackIndex', 'PackPlan', 'PackReport', 'pack', 'read_from_pack']
