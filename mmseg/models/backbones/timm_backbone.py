"""Any of timm's networks as an encoder."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from mmseg.engine.errors import near_names
from mmseg.engine.pretrained import find_pretrained, load_complete, read_pretrained
from mmseg.models.backbones.backbone import Backbone
from mmseg.models.backbones.recompute import CountOnce
from mmseg.registry import MODELS


@MODELS.register_module()
class TIMMBackbone(Backbone):
    """A timm network that returns its levels (``features_only``).

    Args:
        model_name: timm's name, e.g. ``tf_efficientnet_lite0`` or ``convnext_tiny``.
        pretrained: file of weights in timm's key layout, with or without the classifier; see :class:`Backbone`.
        out_indices: levels to return; None = timm's choice (for most networks strides 2 to 32, or 4 to 32).
        output_stride: dilate instead of striding beyond this; not every network can.
        norm_eval: norm layers with running statistics stay in eval mode in training.
        drop_path_rate: stochastic depth; None = timm's default.
        with_cp: recompute activations in the backward pass to save memory.
        options: further arguments of ``timm.create_model``.

    Raises:
        ValueError: if timm has no such network, or it takes no such option.
    """

    def __init__(
        self,
        model_name: str,
        pretrained: str | None = None,
        out_indices: Sequence[int] | None = None,
        output_stride: int | None = None,
        norm_eval: bool = False,
        drop_path_rate: float | None = None,
        with_cp: bool = False,
        **options: Any,
    ):
        super().__init__(pretrained)
        self.model_name = model_name
        self.norm_eval = norm_eval
        given = {'output_stride': output_stride, 'drop_path_rate': drop_path_rate}
        self.options = options | {key: value for key, value in given.items() if value is not None}
        features = {} if out_indices is None else {'out_indices': tuple(out_indices)}
        self.timm_model = _create(model_name, features_only=True, **features, **self.options)
        self.count_once = CountOnce() if with_cp else None
        if with_cp:
            self.timm_model.set_grad_checkpointing(True)
        # Swin and its kin keep their maps as (B, H, W, C).
        self.channels_last = str(getattr(self.timm_model, 'output_fmt', 'NCHW')).endswith('NHWC')
        self.out_channels = list(self.timm_model.feature_info.channels())

    def forward(self, images: Tensor) -> list[Tensor]:
        """The chosen levels (B, C_i, H_i, W_i), finest first."""
        once = None if torch.compiler.is_compiling() else self.count_once
        with nullcontext() if once is None else once.forward(self.timm_model):
            features = self.timm_model(images)
        return [x.permute(0, 3, 1, 2) for x in features] if self.channels_last else list(features)

    def train(self, mode: bool = True) -> TIMMBackbone:
        """With ``norm_eval`` all batch norms stay in eval mode."""
        super().train(mode)
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def init_from_scratch(self) -> None:
        """timm has initialised the network when it was built."""

    def load_pretrained(self, source: str) -> None:
        """Weights of the whole timm network; those of layers that no returned level needs are left out.

        Raises:
            FileNotFoundError: if the file is missing.
            ValueError: if an entry is missing, or belongs to no layer of this network.
        """
        path = find_pretrained(source)
        own = self.timm_model.state_dict()
        state = read_pretrained(path, own)
        renamed = {_feature_key(key, own): value for key, value in state.items()}
        left_over = {key for key in renamed if key not in own}
        if left_over:
            whole = _create(self.model_name, **self.options).state_dict()
            left_over &= {key for key in left_over if key in whole}
        load_complete(self.timm_model, {key: renamed[key] for key in renamed.keys() - left_over}, path)


def _create(model_name: str, **options: Any) -> nn.Module:
    import timm

    if not timm.is_model(model_name):
        raise ValueError(f'timm has no network {model_name!r}{near_names(model_name, timm.list_models())}')
    try:
        return timm.create_model(model_name, pretrained=False, **options)
    except (TypeError, AttributeError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f'timm network {model_name} cannot be built with {options}: {reason}') from error


def _feature_key(key: str, own: Collection[str]) -> str:
    """Where timm's feature extractors keep an entry of the whole network.

    They wrap the network (``model.``, ``body.``) or flatten its outer sequences, whose children may bear any
    name (``stages.0.`` -> ``stages_0.``, ``features.conv0.`` -> ``features_conv0.``).
    """
    flattened = key.replace('.', '_', 1)
    return next((name for name in (key, flattened, f'model.{key}', f'body.{key}') if name in own), key)
