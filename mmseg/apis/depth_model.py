"""Inverse relative depth of images: Depth Anything V2 (Yang et al., NeurIPS 2024) through ``transformers``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

FLAT_ROAD = 'flat-road'
# Height of the horizon in pictures of cameras behind a windscreen, as a share of the picture from above.
HORIZON = 0.45


def stretched(inverse_depth: np.ndarray) -> np.ndarray:
    """Inverse depth (H, W) of any unit as bytes: floor(255 (x - min) / (max - min)), 255 = nearest; flat maps are 0."""
    low, high = inverse_depth.min(), inverse_depth.max()
    if not np.isfinite([low, high]).all():
        raise ValueError('the network gave no finite depth')
    if high == low:
        return np.zeros(inverse_depth.shape, np.uint8)
    return ((inverse_depth - low) / (high - low) * 255.0).astype(np.uint8)


def input_size(height: int, width: int, size: int = 518, multiple: int = 14) -> tuple[int, int]:
    """(height, width) that the network gets: its short side ``size``, the ratio kept but for whole patches.

    Depth Anything's own script does the same: 518 x 1036 for Cityscapes, 518 x 938 for GTA, 518 x 868 for SYNTHIA.
    """
    scale = size / min(height, width)
    least = -(-size // multiple) * multiple
    fitted = [max(round(scale * side / multiple) * multiple, least) for side in (height, width)]
    return fitted[0], fitted[1]


@dataclass(frozen=True)
class Preparation:
    """From an image to the network's input, by the numbers of its ``preprocessor_config.json``."""

    size: int
    multiple: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, image: np.ndarray) -> Tensor:
        """(H, W, 3) BGR uint8 -> (3, h, w) float32."""
        rgb = image[..., ::-1].astype(np.float32) / 255
        height, width = input_size(*image.shape[:2], self.size, self.multiple)
        resized = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_CUBIC)
        normalised = (resized - np.float32(self.mean)) / np.float32(self.std)
        return torch.from_numpy(np.ascontiguousarray(normalised.transpose(2, 0, 1)))


class DepthAnything:
    """Depth maps as the authors' script makes them: cubic resize by OpenCV, output enlarged bilinearly (align_corners).

    Args:
        model: folder with ``config.json``, weights and ``preprocessor_config.json``, or a name on the Hugging Face hub.
        device: where it computes.

    Raises:
        ImportError: ``transformers`` is not installed.
        ValueError: no such model, or one that does not give inverse relative depth.
    """

    def __init__(self, model: str, device: str) -> None:
        self.network, processor = _load(model)
        self.network.to(device).eval()
        self.device = device
        self.prepare = Preparation(
            size=int(processor.size['height']),
            multiple=int(processor.ensure_multiple_of or 1),
            mean=tuple(processor.image_mean),
            std=tuple(processor.image_std),
        )

    @torch.inference_mode()
    def __call__(self, inputs: Tensor, size: tuple[int, int]) -> list[np.ndarray]:
        """Depth maps of inputs (B, 3, h, w), each (H, W) = ``size`` uint8."""
        depth = self.network(pixel_values=inputs.to(self.device)).predicted_depth.float()
        depth = F.interpolate(depth[:, None], size, mode='bilinear', align_corners=True)[:, 0]
        return [stretched(one) for one in depth.cpu().numpy()]


class FlatRoad:
    """A stand-in that looks at no image: a flat road up to the horizon, and nothing but distance above it."""

    @staticmethod
    def prepare(image: np.ndarray) -> Tensor:
        """Nothing: the size is all that counts."""
        return torch.zeros(0)

    def __call__(self, inputs: Tensor, size: tuple[int, int]) -> list[np.ndarray]:
        """The same map for every image: inverse depth grows evenly from the horizon down."""
        height, width = size
        rows = np.arange(height, dtype=np.float32) + 0.5
        inverse = np.maximum(rows - HORIZON * height, 0)
        return [stretched(np.repeat(inverse[:, None], width, axis=1)) for _ in inputs]


def load_depth_model(model: str, device: str) -> DepthAnything | FlatRoad:
    """The model of a name: a folder, a hub name, or ``flat-road``."""
    return FlatRoad() if model == FLAT_ROAD else DepthAnything(model, device)


def _load(model: str) -> tuple[Any, Any]:
    try:
        from transformers import AutoConfig, AutoImageProcessor, AutoModelForDepthEstimation
    except ImportError:
        raise ImportError('depth maps need the package transformers: pip install transformers') from None
    local = os.path.isdir(model)
    with _clear_errors(model, local):
        config = AutoConfig.from_pretrained(model, local_files_only=local)
    _check(model, config)
    with _clear_errors(model, local):
        processor = AutoImageProcessor.from_pretrained(model, local_files_only=local)
        network = AutoModelForDepthEstimation.from_pretrained(model, local_files_only=local)
    return network, processor


@contextmanager
def _clear_errors(model: str, local: bool) -> Iterator[None]:
    """One line for what ``transformers`` says of a model that is not there."""
    try:
        yield
    except (OSError, ValueError) as error:
        what = 'is no folder of a whole model' if local else 'is no folder, and cannot be had from the hub'
        raise ValueError(f'depth model {model} {what}: {str(error).strip().splitlines()[0]}') from None


def _check(model: str, config: Any) -> None:
    if config.model_type != 'depth_anything':
        raise ValueError(
            f'depth model {model} is of type {config.model_type}, expected depth_anything (version 1 or 2)'
        )
    if getattr(config, 'depth_estimation_type', 'relative') != 'relative':
        raise ValueError(
            f'depth model {model} gives metres (larger = farther), expected relative depth (larger = nearer): take '
            'depth-anything/Depth-Anything-V2-Small-hf'
        )
