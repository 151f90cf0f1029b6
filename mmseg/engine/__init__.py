"""Training: runner, loop, hooks, schedules, optimizer groups, checkpoints, precision, several processes."""

from mmseg.engine import hooks, loops, runner, schedulers

__all__ = ['hooks', 'loops', 'runner', 'schedulers']
