"""Prediction again with fewer windows at once where the device's memory runs out."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import torch

from mmseg.models.segmentors.inference_options import GPU_PIXELS

Result = TypeVar('Result')

SMALLEST = 2**16  # pixels: a single window of 256x256


def retry_smaller(network: Any, predict: Callable[..., Result], *args: Any) -> Result:
    """``predict(*args)``, each time with half the ``batch_pixels`` of the network until memory suffices.

    The smaller number stays, so that later images do not fail first.

    Args:
        network: the segmentor whose ``inference_options`` bound the windows of a batch.
        predict: predicts by these options.

    Raises:
        torch.OutOfMemoryError: memory does not even suffice for few pixels.
    """
    while True:
        options = network.inference_options
        pixels = options.batch_pixels or GPU_PIXELS
        try:
            return predict(*args)
        except torch.OutOfMemoryError:
            if pixels // 2 < SMALLEST:
                raise
        # Here the failed attempt's tensors are gone.
        network.inference_options = replace(options, batch_pixels=pixels // 2)
        warnings.warn(
            f'memory does not suffice for windows of {pixels} pixels at once: going on with half of them; '
            f'model.test_cfg.batch_pixels={pixels // 2} saves this attempt',
            stacklevel=2,
        )
