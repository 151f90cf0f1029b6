"""Size and cost of networks, counted on shapes alone: no weights, no data, no memory."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from mmseg.engine.errors import clear_config_errors
from mmseg.engine.optimizer_groups import build_optim_wrapper, optimizers
from mmseg.engine.training_state import NOT_SAVED
from mmseg.models.uda import build_method

PARTS = ('backbone', 'neck', 'decode_head', 'auxiliary_head')
FLOPS_PER_MAC = 2


@dataclass(frozen=True)
class Size:
    """Of a network or a part of it.

    Attributes:
        parameters: their number.
        trainable: of these, those that training changes.
        buffers: numbers that are saved but not trained: normalisation statistics.
        bytes: of parameters and buffers.
    """

    parameters: int
    trainable: int
    buffers: int
    bytes: int


@dataclass
class ModelSize:
    """What a config's network, and its training, amount to.

    Attributes:
        parts: of the segmentor, by name.
        student: of the whole segmentor.
        macs: multiply-accumulate operations of one image, by part; ``other`` is what belongs to none.
        extras: networks that the method adds, by their names in checkpoints.
        optimizer_bytes: what the optimizers keep beside the weights.
        checkpoint_bytes: of a training checkpoint: the saved networks and the optimizers.
    """

    parts: dict[str, Size]
    student: Size
    macs: dict[str, int]
    extras: dict[str, Size] = field(default_factory=dict)
    optimizer_bytes: int = 0
    checkpoint_bytes: int = 0


def measure(cfg: Config, shape: tuple[int, int], with_method: bool = False) -> ModelSize:
    """Count a config's network, and with ``with_method`` what its training adds.

    Args:
        cfg: of a run.
        shape: height and width of the image in pixels.
        with_method: build the method and its optimizers too.

    Raises:
        ValueError: the config's parts do not fit, or the image is too small.
    """
    plain = Config({'cfg': cfg}).to_dict()['cfg']
    if not with_method:
        plain.pop('uda', None)
    with torch.device('meta'), clear_config_errors(cfg):
        method = build_method(plain)
    student = method.student
    parts = {name: size_of(part) for name in PARTS if (part := getattr(student, name, None)) is not None}
    result = ModelSize(parts, size_of(student), count_macs(student, shape))
    if with_method:
        known = ('model', 'data_preprocessor')
        extras = {name: child for name, child in method.named_children() if name not in known}
        result.extras = {name: size for name, child in extras.items() if (size := size_of(child)).parameters}
        result.optimizer_bytes = _optimizer_bytes(method, plain)
        saved = {key: value for key, value in method.state_dict().items() if not key.startswith(NOT_SAVED)}
        result.checkpoint_bytes = _bytes(saved.values()) + result.optimizer_bytes
    return result


def size_of(module: nn.Module) -> Size:
    """Count a module; what it holds twice counts once, and buffers that are not saved do not count."""
    parameters = list(module.parameters())
    saved = {id(value) for value in module.state_dict(keep_vars=True).values()}
    buffers = [buffer for buffer in module.buffers() if id(buffer) in saved]
    return Size(
        parameters=_count(parameters),
        trainable=_count(parameter for parameter in parameters if parameter.requires_grad),
        buffers=_count(buffers),
        bytes=_bytes([*parameters, *buffers]),
    )


def count_macs(segmentor: nn.Module, shape: tuple[int, int]) -> dict[str, int]:
    """Multiply-accumulate operations of predicting one image as ``test_cfg`` says, by part.

    Convolutions, linear layers and attention count, each by its textbook formula; norms, activations and resizing,
    a few per cent, do not.

    Args:
        segmentor: on the meta device.
        shape: height and width of the image in pixels.
    """
    segmentor.eval()
    image = torch.zeros(1, 3, *shape, device='meta')
    inference = _Inference(segmentor)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        inference(image)
    flops = {name: sum(counts.values()) for name, counts in counter.get_flop_counts().items()}
    total = counter.get_total_flops()
    parts = {name: part for name in PARTS if (part := getattr(segmentor, name, None)) is not None}
    counted = {name: _flops_of(part, f'_Inference.segmentor.{name}', flops) for name, part in parts.items()}
    macs = {name: value // FLOPS_PER_MAC for name, value in counted.items() if value}
    other = (total - sum(counted.values())) // FLOPS_PER_MAC
    return macs | ({'other': other} if other else {})


class _Inference(nn.Module):
    """Prediction as a ``forward``, so that the counter knows the parts' names."""

    def __init__(self, segmentor: nn.Module):
        super().__init__()
        self.segmentor = segmentor

    def forward(self, images: Tensor) -> Tensor:
        return self.segmentor.inference_logits(images)  # type: ignore[operator]


def _flops_of(module: nn.Module, name: str, flops: Mapping[str, int]) -> int:
    """The counter knows modules that are called; one whose methods are used instead is what its children are."""
    inside = sum(_flops_of(child, f'{name}.{key}', flops) for key, child in module.named_children())
    return max(flops.get(name, 0), inside)


def _optimizer_bytes(method: nn.Module, cfg: Mapping[str, Any]) -> int:
    """State of the optimizers after a first step, which is when they make it."""
    total = 0
    for optimizer in optimizers(build_optim_wrapper(method, cfg['optim_wrapper'])).values():
        for group in optimizer.param_groups:
            for parameter in group['params']:
                parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
        total += _bytes(value for state in optimizer.state.values() for value in state.values())
    return total


def _count(tensors: Iterable[Tensor]) -> int:
    return sum(math.prod(tensor.shape) for tensor in tensors)


def _bytes(values: Iterable[Any]) -> int:
    return sum(value.numel() * value.element_size() for value in values if isinstance(value, Tensor))
