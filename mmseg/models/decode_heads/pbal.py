"""PBAL's head: DeepLab-V3+ under the names of PBAL's checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import build_norm_layer
from torch import Tensor, nn

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.resize import resize
from mmseg.registry import MODELS

BN = {'type': 'BN'}


class ASPPBranch(nn.Module):
    """A dilated convolution with norm and ReLU; 1x1 for dilation 1."""

    def __init__(self, in_channels: int, channels: int, dilation: int, norm_cfg: dict[str, Any]):
        super().__init__()
        kernel, padding = (1, 0) if dilation == 1 else (3, dilation)
        self.atrous_conv = nn.Conv2d(in_channels, channels, kernel, padding=padding, dilation=dilation, bias=False)
        self.bn = build_norm_layer(norm_cfg, channels)[1]

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.bn(self.atrous_conv(x)))


class ASPP(nn.Module):
    """Dilated convolutions and image pooling side by side, joined by a 1x1 convolution."""

    def __init__(self, in_channels: int, channels: int, dilations: Sequence[int], norm_cfg: dict[str, Any]):
        super().__init__()
        self.branches = len(dilations)
        for number, dilation in enumerate(dilations, start=1):
            self.add_module(f'aspp{number}', ASPPBranch(in_channels, channels, dilation, norm_cfg))
        self.global_avg_pool = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(in_channels, channels, 1, bias=False),
            build_norm_layer(norm_cfg, channels)[1],
            nn.ReLU(),
        )
        self.conv1 = nn.Conv2d((self.branches + 1) * channels, channels, 1, bias=False)
        self.bn1 = build_norm_layer(norm_cfg, channels)[1]

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, h, w) of a level (B, in_channels, h, w)."""
        parts = [getattr(self, f'aspp{number}')(x) for number in range(1, self.branches + 1)]
        pooled = self.global_avg_pool(x).expand(-1, -1, *x.shape[2:])
        return torch.relu(self.bn1(self.conv1(torch.cat([*parts, pooled], dim=1))))


@MODELS.register_module()
class PBALDeepLabV3PlusHead(BaseDecodeHead):
    """DeepLab-V3+ (Chen et al., ECCV 2018) with full convolutions and a single fusing one.

    The rows of the classifier are PBAL's prototypes. The embedding is what the classifier gets, after a dropout of
    single elements, since PBAL's transport and contrast look at that.

    Args:
        in_channels: of the finest level and of the deepest.
        in_index: numbers of these two levels.
        low_channels: to which the finest level is reduced.
        dilations: of the branches; 1 = a 1x1 convolution.
        dropout_ratio: chance with which an element of the embedding is dropped.
        norm_cfg: mmcv config of the norms.

    Raises:
        ValueError: if ``in_channels`` and ``in_index`` are not two levels.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        in_index: Sequence[int] = (0, 1),
        channels: int = 256,
        low_channels: int = 48,
        dilations: Sequence[int] = (1, 6, 12, 18),
        dropout_ratio: float = 0.1,
        norm_cfg: dict[str, Any] | None = None,
        align_corners: bool = True,
        **kwargs: Any,
    ):
        norm_cfg = norm_cfg or BN
        super().__init__(
            in_channels=in_channels,
            in_index=in_index,
            channels=channels,
            input_transform='multiple_select',
            dropout_ratio=0,
            norm_cfg=norm_cfg,
            align_corners=align_corners,
            **kwargs,
        )
        if len(in_channels) != 2:
            raise ValueError(f'PBALDeepLabV3PlusHead reads two levels, a fine and a deep one; got {len(in_channels)}')
        fine, deep = in_channels
        self.aspp = ASPP(deep, channels, dilations, norm_cfg)
        self.conv1 = nn.Conv2d(fine, low_channels, 1, bias=False)
        self.bn1 = build_norm_layer(norm_cfg, low_channels)[1]
        self.fuse_conv = nn.Sequential(
            nn.Conv2d(channels + low_channels, channels, 3, padding=1, bias=False),
            build_norm_layer(norm_cfg, channels)[1],
            nn.ReLU(),
            nn.Dropout(dropout_ratio),
        )

    def init_weights(self) -> None:
        """He's normal rule with the fan-in for all convolutions, unless ``init_cfg`` says otherwise."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity='relu')
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        if self.init_cfg is not self.init_default:
            super().init_weights()

    def embed(self, features: Sequence[Tensor]) -> Tensor:
        fine, deep = self.levels(features)
        low = torch.relu(self.bn1(self.conv1(fine)))
        context = resize(self.aspp(deep), low.shape[2:], self.align_corners)
        return self.fuse_conv(torch.cat([context, low], dim=1))
