"""Scores of predictions."""

from mmseg.evaluation.classes import SYNTHIA_SUBSETS
from mmseg.evaluation.iou_metric import IoUMetric

__all__ = ['SYNTHIA_SUBSETS', 'IoUMetric']
