"""A step of the self-training stage: cross-entropy alone."""

from tests.goldens.drivers.proca.src_step import run

__all__ = ['run']
