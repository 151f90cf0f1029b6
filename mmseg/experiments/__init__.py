"""Grids of trainings: from a few settings to names and config files."""

from mmseg.experiments.config import child_config
from mmseg.experiments.grid import Masking, Training, Unknown, seeds
from mmseg.experiments.names import training_name

__all__ = ['Masking', 'Training', 'Unknown', 'child_config', 'seeds', 'training_name']
