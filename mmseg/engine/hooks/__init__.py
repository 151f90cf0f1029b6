"""What happens around training iterations: logging, schedules, checkpoints, panels."""

from mmseg.engine.hooks.checkpoint import CheckpointHook
from mmseg.engine.hooks.logger import LoggerHook
from mmseg.engine.hooks.panels import PanelHook
from mmseg.engine.hooks.scheduler import SchedulerHook
from mmseg.engine.hooks.tensorboard import TensorBoardHook

__all__ = ['CheckpointHook', 'LoggerHook', 'PanelHook', 'SchedulerHook', 'TensorBoardHook']
