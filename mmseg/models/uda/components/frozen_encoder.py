"""The encoder as ImageNet left it: a frozen reference for the feature distance."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg.models.sixteen_bit_weights import cast_together


class FrozenEncoder(BaseModule):
    """Backbone of a segmentor with its pretrained weights, always in eval mode, never trained.

    It is not written into checkpoints: its weights are those of the pretrained file.

    Args:
        segmentor: freshly built; its backbone is kept, and a neck that only rearranges the backbone's levels.

    Raises:
        ValueError: if the segmentor has a neck with weights, which no pretrained file holds.
    """

    def __init__(self, segmentor: Any) -> None:
        super().__init__()
        neck = getattr(segmentor, 'neck', None)
        if neck is not None and any(True for _ in neck.parameters()):
            raise ValueError(
                'uda.feature_distance compares features of ImageNet weights; it does not work behind a neck with '
                f'weights of its own ({type(neck).__name__})'
            )
        self.backbone = segmentor.backbone
        self.neck = neck
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> FrozenEncoder:
        """Stays in eval mode."""
        return super().train(False)

    def check_pretrained(self) -> None:
        """Raise ValueError if no weights were loaded: the distance to random features means nothing."""
        if not getattr(self.backbone, 'pretrained_loaded', False):
            raise ValueError(
                'uda.feature_distance needs a backbone with ImageNet weights: set model.pretrained to their file '
                '(python -m tools.get_pretrained shows where to get it), or uda.feature_distance=None'
            )

    @torch.no_grad()
    def forward(self, images: Tensor) -> list[Tensor]:
        """Levels of the encoder after the neck for images (B, 3, H, W), finest first."""
        self.check_pretrained()
        with cast_together(self.backbone, images.device):
            features = list(self.backbone(images))
        return features if self.neck is None else list(self.neck(features))

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Nothing: a parent's ``state_dict`` leaves this module out."""
        destination = args[0] if args else kwargs.get('destination')
        return {} if destination is None else destination


def without_frozen_keys(module: nn.Module, incompatible_keys: Any) -> None:
    """A hook after ``load_state_dict``: the parameters of frozen encoders are not missing."""
    frozen = [f'{name}.' for name, child in module.named_modules() if isinstance(child, FrozenEncoder)]
    missing = incompatible_keys.missing_keys
    missing[:] = [key for key in missing if not key.startswith(tuple(frozen))]
