"""ResNet, ResNeXt and ResNeSt encoders with dilations, under the key names of OpenMMLab's published weights.

The residual blocks are timm's. Its own networks know neither contracted dilations nor multi-grids, so the stages are
put together here. (timm is imported when a network is built: it takes over a second.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import build_norm_layer
from torch import Tensor, nn

from mmseg.models.backbones.backbone import Backbone
from mmseg.models.backbones.recompute import recomputed
from mmseg.models.backbones.resnet_blocks import StageOptions, build_stage
from mmseg.registry import MODELS


@MODELS.register_module()
class ResNet(Backbone):
    """Residual network (He et al., CVPR 2016).

    Args:
        depth: 18, 34 (basic blocks), 50, 101 or 152 (bottlenecks).
        in_channels: channels of the image.
        stem_channels: channels after the stem.
        base_channels: inner width of the first stage; doubles from stage to stage.
        num_stages: how many of the four stages to build.
        strides: of each stage.
        dilations: of each stage's 3x3 convolutions.
        out_indices: stages whose output is returned.
        style: ``pytorch`` puts a bottleneck's stride into its 3x3 convolution, ``caffe`` into its first 1x1.
        deep_stem: three 3x3 convolutions (keys ``stem``) for the 7x7 one (``conv1``, ``bn1``).
        avg_down: shortcuts that change the size pool before their 1x1 convolution.
        frozen_stages: the stem and that many stages do not learn and stay in eval mode; -1 = none, 0 = the stem alone.
        norm_cfg: mmcv config of the norm layers; ``requires_grad=False`` fixes their weights.
        norm_eval: norm layers stay in eval mode in training.
        multi_grid: dilation of each block of the last stage.
        contract_dilation: the first block of a dilated stage takes half its dilation, against gridding artefacts.
        with_cp: recompute each block's activations in the backward pass to save memory.
        zero_init_residual: without pretrained weights each block starts as the identity.
        pretrained: see :class:`Backbone`.
        ceil_pool: the stem's pooling rounds sizes up instead of down (ProDA).

    Raises:
        ValueError: for an unknown depth or style, or lists that do not go with the number of stages.
    """

    depths: dict[int, tuple[str, tuple[int, ...]]] = {
        18: ('basic', (2, 2, 2, 2)),
        34: ('basic', (3, 4, 6, 3)),
        50: ('bottleneck', (3, 4, 6, 3)),
        101: ('bottleneck', (3, 4, 23, 3)),
        152: ('bottleneck', (3, 8, 36, 3)),
    }

    def __init__(
        self,
        depth: int,
        in_channels: int = 3,
        stem_channels: int = 64,
        base_channels: int = 64,
        num_stages: int = 4,
        strides: Sequence[int] = (1, 2, 2, 2),
        dilations: Sequence[int] = (1, 1, 1, 1),
        out_indices: Sequence[int] = (0, 1, 2, 3),
        style: str = 'pytorch',
        deep_stem: bool = False,
        avg_down: bool = False,
        frozen_stages: int = -1,
        norm_cfg: dict[str, Any] | None = None,
        norm_eval: bool = False,
        multi_grid: Sequence[int] | None = None,
        contract_dilation: bool = False,
        with_cp: bool = False,
        zero_init_residual: bool = True,
        pretrained: str | None = None,
        ceil_pool: bool = False,
    ):
        super().__init__(pretrained)
        self._check(depth, num_stages, strides, dilations, out_indices, style, frozen_stages, multi_grid)
        kind, block_counts = self.depths[depth]
        self.num_stages = num_stages
        self.out_indices = tuple(out_indices)
        self.frozen_stages = frozen_stages
        self.norm_cfg = norm_cfg or {'type': 'BN'}
        self.norm_eval = norm_eval
        self.with_cp = with_cp
        self.zero_init_residual = zero_init_residual
        self.deep_stem = deep_stem
        self._build_stem(in_channels, stem_channels, ceil_pool)
        channels, widths = stem_channels, []
        for i in range(num_stages):
            options = StageOptions(
                kind=kind,
                planes=base_channels * 2**i,
                stride=strides[i],
                dilations=_block_dilations(
                    block_counts[i],
                    dilations[i],
                    contract_dilation,
                    multi_grid if i == num_stages - 1 else None,
                ),
                caffe_style=style == 'caffe',
                avg_down=avg_down,
                **self._block_options(base_channels),
            )
            stage, channels = build_stage(channels, options, self._norm)
            self.add_module(f'layer{i + 1}', stage)
            widths.append(channels)
        self.out_channels = [widths[i] for i in self.out_indices]
        self._freeze()

    def _check(
        self,
        depth: int,
        num_stages: int,
        strides: Sequence[int],
        dilations: Sequence[int],
        out_indices: Sequence[int],
        style: str,
        frozen_stages: int,
        multi_grid: Sequence[int] | None,
    ) -> None:
        name = type(self).__name__
        if depth not in self.depths:
            raise ValueError(f'{name}: no depth {depth}; there are {", ".join(map(str, self.depths))}')
        if not 1 <= num_stages <= 4:
            raise ValueError(f'{name}: num_stages must be 1 to 4, got {num_stages}')
        if len(strides) < num_stages or len(dilations) < num_stages:
            raise ValueError(f'{name}: {num_stages} stages need as many strides and dilations')
        if not out_indices or not all(0 <= i < num_stages for i in out_indices):
            raise ValueError(f'{name}: out_indices {tuple(out_indices)} must be stages 0 to {num_stages - 1}')
        if style not in ('pytorch', 'caffe'):
            raise ValueError(f'{name}: style must be pytorch or caffe, got {style!r}')
        if not -1 <= frozen_stages <= num_stages:
            raise ValueError(f'{name}: frozen_stages must be -1 to {num_stages}, got {frozen_stages}')
        blocks = self.depths[depth][1][num_stages - 1]
        if multi_grid is not None and len(multi_grid) != blocks:
            raise ValueError(f'{name}: multi_grid needs a dilation for each of {blocks} blocks, got {len(multi_grid)}')

    def _block_options(self, base_channels: int) -> dict[str, Any]:
        """What subclasses add to their blocks."""
        return {}

    def _norm(self, channels: int, device: Any = None, dtype: Any = None) -> nn.Module:
        """A norm layer, called by timm's blocks too, which pass a device and a type that are never set here."""
        return build_norm_layer(self.norm_cfg, channels)[1]

    def _build_stem(self, in_channels: int, channels: int, ceil_pool: bool) -> None:
        if self.deep_stem:
            half = channels // 2
            layers: list[nn.Module] = []
            for inside, outside, stride in ((in_channels, half, 2), (half, half, 1), (half, channels, 1)):
                conv = nn.Conv2d(inside, outside, kernel_size=3, stride=stride, padding=1, bias=False)
                layers += [conv, self._norm(outside), nn.ReLU(inplace=True)]
            self.stem = nn.Sequential(*layers)
        else:
            self.conv1 = nn.Conv2d(in_channels, channels, kernel_size=7, stride=2, padding=3, bias=False)
            self.bn1 = self._norm(channels)
            self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1, ceil_mode=ceil_pool)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The chosen stages' outputs (B, C_i, H_i, W_i)."""
        x = self.stem(images) if self.deep_stem else self.relu(self.bn1(self.conv1(images)))
        x = self.maxpool(x)
        features = []
        recompute = self.with_cp and self.training and torch.is_grad_enabled()
        for i in range(self.num_stages):
            for block in getattr(self, f'layer{i + 1}'):
                x = recomputed(block, x) if recompute else block(x)
            if i in self.out_indices:
                features.append(x)
        return tuple(features)

    def _frozen(self) -> list[nn.Module]:
        if self.frozen_stages < 0:
            return []
        stem = [self.stem] if self.deep_stem else [self.conv1, self.bn1]
        return stem + [getattr(self, f'layer{i + 1}') for i in range(self.frozen_stages)]

    def _freeze(self) -> None:
        for module in self._frozen():
            module.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> ResNet:
        """Frozen stages, and with ``norm_eval`` all batch norms, stay in eval mode."""
        super().train(mode)
        self._freeze()
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def init_from_scratch(self) -> None:
        """He's normal rule with the fan-out for convolutions, norms 1 and 0, each block's last norm 0 if asked."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, (nn.modules.batchnorm._BatchNorm, nn.GroupNorm)):
                nn.init.ones_(module.weight)
                nn.init.zeros_(module.bias)
        if self.zero_init_residual:
            for module in self.modules():
                if hasattr(module, 'zero_init_last'):
                    module.zero_init_last()


def _block_dilations(blocks: int, dilation: int, contract: bool, multi_grid: Sequence[int] | None) -> tuple[int, ...]:
    """The dilation of each block of a stage."""
    if multi_grid is not None:
        return tuple(multi_grid)
    first = dilation // 2 if contract and dilation > 1 else dilation
    return (first,) + (dilation,) * (blocks - 1)


@MODELS.register_module()
class ResNetV1c(ResNet):
    """ResNet with a deep stem (He et al., Bag of Tricks, CVPR 2019): the CNN encoder of the published methods."""

    def __init__(self, **options: Any):
        super().__init__(**{'deep_stem': True, **options})


@MODELS.register_module()
class ResNetV1d(ResNet):
    """ResNet with a deep stem and pooling shortcuts."""

    def __init__(self, **options: Any):
        super().__init__(**{'deep_stem': True, 'avg_down': True, **options})


@MODELS.register_module()
class ResNeXt(ResNet):
    """ResNet of bottlenecks with grouped 3x3 convolutions (Xie et al., CVPR 2017).

    Args:
        groups: of the 3x3 convolutions.
        base_width: channels of each group in the first stage.
        options: those of :class:`ResNet`; depth 50, 101 or 152.
    """

    depths = {depth: entry for depth, entry in ResNet.depths.items() if depth >= 50}

    def __init__(self, groups: int = 1, base_width: int = 4, **options: Any):
        self.groups = groups
        self.base_width = base_width
        super().__init__(**options)

    def _block_options(self, base_channels: int) -> dict[str, Any]:
        return _group_options(self.groups, self.base_width, base_channels)


@MODELS.register_module()
class ResNeSt(ResNetV1d):
    """ResNet of bottlenecks with split attention (Zhang et al., CVPRW 2022).

    Args:
        groups: of the 3x3 convolutions.
        base_width: channels of each group in the first stage, if there are several.
        radix: splits of each group.
        reduction_factor: how much narrower the attention's hidden layer is.
        avg_down_stride: blocks with a stride pool after their 3x3 convolution.
        options: those of :class:`ResNet`; depth 50, 101, 152 or 200.
    """

    depths = {**ResNeXt.depths, 200: ('bottleneck', (3, 24, 36, 3))}

    def __init__(
        self,
        groups: int = 1,
        base_width: int = 4,
        radix: int = 2,
        reduction_factor: int = 4,
        avg_down_stride: bool = True,
        **options: Any,
    ):
        self.groups = groups
        self.base_width = base_width
        self.split_attention = {
            'radix': radix,
            'reduction_factor': reduction_factor,
            'avg_down_stride': avg_down_stride,
        }
        super().__init__(**options)

    def _block_options(self, base_channels: int) -> dict[str, Any]:
        return _group_options(self.groups, self.base_width, base_channels) | self.split_attention


def _group_options(groups: int, base_width: int, base_channels: int) -> dict[str, Any]:
    """timm counts a group's width relative to 64 channels; a single group has the block's full width."""
    return {'groups': groups, 'base_width': 64 if groups == 1 else base_width * 64 / base_channels}
