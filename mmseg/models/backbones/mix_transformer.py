"""Mix Transformer, the hierarchical encoder of SegFormer (Xie et al., NeurIPS 2021), under the official key names.

Maps are kept as (B, H, W, C) throughout, as ``mix_transformer_blocks`` wants them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmseg.models.backbones.backbone import Backbone
from mmseg.models.backbones.drop_path import build_drop_path
from mmseg.models.backbones.mix_transformer_blocks import Block, PatchEmbed
from mmseg.models.backbones.recompute import recomputed
from mmseg.registry import MODELS

# The published weights were trained with two different epsilons: this one in the blocks and after the stages, PyTorch's
# default of 1e-5 behind the convolutions (patch embedding, key and value reduction).
BLOCK_EPS = 1e-6


@MODELS.register_module()
class MixVisionTransformer(Backbone):
    """Mix Transformer of any size; ``mit_b0`` to ``mit_b5`` are the published ones.

    Args:
        in_chans: channels of the image.
        embed_dims: channels of the four levels.
        num_heads: attention heads of each stage.
        mlp_ratios: hidden channels of the feed-forward layers, relative to those of the stage.
        qkv_bias: whether queries, keys and values have biases.
        drop_path_rate: drop probability of the last block; falls linearly to 0 at the first.
        depths: blocks of each stage.
        sr_ratios: reduction of keys and values in each direction.
        norm_eps: of the norms in the blocks and after the stages.
        with_cp: recompute each block's activations in the backward pass to save memory.
        pretrained: see :class:`Backbone`.
        drop_rate, attn_drop_rate: only 0, as published.
        img_size, patch_size, style: accepted because configs have them; mean nothing here.
        init_cfg: only None: ``pretrained`` names the weights.

    Raises:
        ValueError: if a drop rate is not 0, init_cfg is given, a width cannot be split into its heads, or the lists
            differ in length.
    """

    def __init__(
        self,
        in_chans: int = 3,
        embed_dims: Sequence[int] = (64, 128, 256, 512),
        num_heads: Sequence[int] = (1, 2, 4, 8),
        mlp_ratios: Sequence[float] = (4, 4, 4, 4),
        qkv_bias: bool = False,
        drop_path_rate: float = 0.0,
        depths: Sequence[int] = (3, 4, 6, 3),
        sr_ratios: Sequence[int] = (8, 4, 2, 1),
        norm_eps: float = 1e-5,
        with_cp: bool = False,
        pretrained: str | None = None,
        drop_rate: float = 0.0,
        attn_drop_rate: float = 0.0,
        img_size: Any = None,
        patch_size: Any = None,
        style: str | None = None,
        init_cfg: None = None,
    ):
        super().__init__(pretrained)
        if drop_rate or attn_drop_rate:
            raise ValueError(
                f'MixVisionTransformer drops paths only, not drop_rate={drop_rate} or attn_drop_rate={attn_drop_rate}'
            )
        if init_cfg is not None:
            raise ValueError(f'MixVisionTransformer: no init_cfg, but pretrained names the weights; got {init_cfg}')
        stages = len(depths)
        if any(len(option) != stages for option in (embed_dims, num_heads, mlp_ratios, sr_ratios)):
            raise ValueError(
                'MixVisionTransformer: embed_dims, num_heads, mlp_ratios, depths and sr_ratios need equal lengths'
            )
        for dim, heads in zip(embed_dims, num_heads, strict=True):
            if dim % heads:
                raise ValueError(f'MixVisionTransformer: {dim} channels cannot be split into {heads} heads')
        self.out_channels = list(embed_dims)
        self.depths = tuple(depths)
        self.smallest_map = sr_ratios[0]
        self.with_cp = with_cp
        # All embeddings first, then stage by stage: teacher and student are matched by the order of parameters.
        in_channels = [in_chans, *embed_dims]
        for i, dim in enumerate(embed_dims):
            kernel_size, stride = (7, 4) if i == 0 else (3, 2)
            setattr(self, f'patch_embed{i + 1}', PatchEmbed(in_channels[i], dim, kernel_size, stride))
        for i, dim in enumerate(embed_dims):
            first = sum(depths[:i])
            blocks = [
                Block(
                    dim,
                    num_heads[i],
                    mlp_ratios[i],
                    qkv_bias,
                    sr_ratios[i],
                    norm_eps,
                    build_drop_path(drop_path_rate, first + j, sum(depths)),
                )
                for j in range(depths[i])
            ]
            setattr(self, f'block{i + 1}', nn.ModuleList(blocks))
            setattr(self, f'norm{i + 1}', nn.LayerNorm(dim, eps=norm_eps))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Four levels (B, C_i, H_i, W_i) of strides 4, 8, 16, 32 (sizes are rounded up), channels-last in memory.

        Raises:
            ValueError: if the images are too small for the first reduction of keys and values.
        """
        if math.ceil(min(images.shape[2:]) / 4) < self.smallest_map:
            raise ValueError(
                f'images of {images.shape[2]}x{images.shape[3]} pixels are too small for the encoder; '
                f'each side needs {4 * self.smallest_map - 3} pixels'
            )
        features = []
        x = images.contiguous(memory_format=torch.channels_last).permute(0, 2, 3, 1)
        for stage in range(1, len(self.depths) + 1):
            x = getattr(self, f'patch_embed{stage}')(x)
            for block in getattr(self, f'block{stage}'):
                x = recomputed(block, x) if self._recompute() else block(x)
            x = getattr(self, f'norm{stage}')(x)
            features.append(x.permute(0, 3, 1, 2))
        return features

    def _recompute(self) -> bool:
        return self.with_cp and self.training and torch.is_grad_enabled()

    def init_from_scratch(self) -> None:
        """Normal weights: std 0.02 in linear layers, He's rule with the fan-out in convolutions; norms 1 and 0."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02)
            elif isinstance(module, nn.LayerNorm):
                nn.init.ones_(module.weight)
            elif isinstance(module, nn.Conv2d):
                fan_out = math.prod(module.kernel_size) * module.out_channels // module.groups
                nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
            if getattr(module, 'bias', None) is not None:
                nn.init.zeros_(module.bias)


class _PublishedMiT(MixVisionTransformer):
    """What the six published sizes share."""

    widths: tuple[int, ...] = (64, 128, 320, 512)
    blocks: tuple[int, ...]

    def __init__(
        self,
        drop_path_rate: float = 0.1,
        with_cp: bool = False,
        pretrained: str | None = None,
        **options: Any,
    ):
        own = {'embed_dims', 'num_heads', 'mlp_ratios', 'qkv_bias', 'depths', 'sr_ratios', 'norm_eps'} & options.keys()
        if own:
            raise ValueError(f'{", ".join(sorted(own))} of a published size are fixed; take MixVisionTransformer')
        super().__init__(
            embed_dims=self.widths,
            num_heads=(1, 2, 5, 8),
            qkv_bias=True,
            drop_path_rate=drop_path_rate,
            depths=self.blocks,
            norm_eps=BLOCK_EPS,
            with_cp=with_cp,
            pretrained=pretrained,
            **options,
        )


@MODELS.register_module(name='mit_b0')
class MiTB0(_PublishedMiT):
    """3.3 million parameters."""

    widths = (32, 64, 160, 256)
    blocks = (2, 2, 2, 2)


@MODELS.register_module(name='mit_b1')
class MiTB1(_PublishedMiT):
    """13.2 million parameters."""

    blocks = (2, 2, 2, 2)


@MODELS.register_module(name='mit_b2')
class MiTB2(_PublishedMiT):
    """24.2 million parameters."""

    blocks = (3, 4, 6, 3)


@MODELS.register_module(name='mit_b3')
class MiTB3(_PublishedMiT):
    """44.1 million parameters."""

    blocks = (3, 4, 18, 3)


@MODELS.register_module(name='mit_b4')
class MiTB4(_PublishedMiT):
    """60.8 million parameters."""

    blocks = (3, 8, 27, 3)


@MODELS.register_module(name='mit_b5')
class MiTB5(_PublishedMiT):
    """81.4 million parameters."""

    blocks = (3, 6, 40, 3)
