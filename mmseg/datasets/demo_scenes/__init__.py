"""Procedural street scenes: demo domains made on the spot (see render.py)."""

from .render import Scene, render_scene
from .styles import STYLES

__all__ = ['STYLES', 'Scene', 'render_scene']
