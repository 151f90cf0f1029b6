"""Using a trained network from Python: load it, predict images, draw the result."""

from mmseg.apis.inference import inference_model
from mmseg.apis.model import init_model
from mmseg.apis.show import show_result

__all__ = ['inference_model', 'init_model', 'show_result']
