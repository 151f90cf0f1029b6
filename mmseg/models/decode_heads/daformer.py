"""DAFormer's context-aware multi-level decoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.decode_heads.fusion_layers import build_layer
from mmseg.models.decode_heads.linear_fusion import fuse
from mmseg.registry import MODELS

PARAMS = ('embed_dims', 'embed_cfg', 'embed_neck_cfg', 'fusion_cfg')


@MODELS.register_module()
class DAFormerHead(BaseDecodeHead):
    """Embed every level, up-sample all to the finest, concatenate and fuse (arXiv:2111.14887, section 3.2).

    Args:
        decoder_params: ``embed_dims``, channels of the embedded levels (one number or one per level); ``embed_cfg``,
            the embedding of all levels but the last of ``in_index``; ``embed_neck_cfg``, that of the last, or
            ``same_as_embed_cfg``; ``fusion_cfg``, the fusing layer. Layer configs: see
            :func:`mmseg.models.decode_heads.fusion_layers.build_layer`.

    Raises:
        ValueError: if ``decoder_params`` lacks an entry or has an unknown one, ``embed_dims`` and the levels differ in
            number, or ``align_corners`` is set.
    """

    def __init__(self, decoder_params: dict[str, Any], **kwargs: Any):
        super().__init__(input_transform='multiple_select', **kwargs)
        if self.align_corners:
            raise ValueError('DAFormerHead works with align_corners=False only')
        if set(decoder_params) != set(PARAMS):
            raise ValueError(f'DAFormerHead: decoder_params has {sorted(decoder_params)}, expected {", ".join(PARAMS)}')
        widths = decoder_params['embed_dims']
        widths = [widths] * len(self.in_index) if isinstance(widths, int) else list(widths)
        if len(widths) != len(self.in_index):
            raise ValueError(f'DAFormerHead: {len(widths)} embed_dims for {len(self.in_index)} levels')
        last = decoder_params['embed_neck_cfg']
        last = decoder_params['embed_cfg'] if last == 'same_as_embed_cfg' else last
        layers = [decoder_params['embed_cfg']] * (len(widths) - 1) + [last]
        self.embed_layers = nn.ModuleDict(
            {
                str(index): build_layer(channels, width, **layer)
                for index, channels, width, layer in zip(self.in_index, self.in_channels, widths, layers, strict=True)
            }
        )
        self.fuse_layer = build_layer(sum(widths), self.channels, **decoder_params['fusion_cfg'])

    def embed(self, features: Sequence[Tensor]) -> Tensor:
        levels = [layer(x) for layer, x in zip(self.embed_layers.values(), self.levels(features), strict=True)]
        return fuse(self.fuse_layer, levels, features[0].shape[2:], self.align_corners)
