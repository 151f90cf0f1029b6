"""PMDAv2's head: pixels are matched with the class prototypes of their image before they are classified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmcv.cnn import ConvModule
from torch import Tensor, nn

from mmseg.models.decode_heads.cascade_decode_head import CascadeDecodeHead
from mmseg.models.decode_heads.multi_scale_context import MultiScaleContext
from mmseg.models.decode_heads.prototype_matching import PrototypeMatching, image_prototypes
from mmseg.models.resize import resize
from mmseg.registry import MODELS


@MODELS.register_module()
class PMDAV2(CascadeDecodeHead):
    """Multi-scale prototype matching for domain adaptive segmentation (Li et al., Pattern Recognition).

    A context feature of one level; from it and the scores of the stage before a prototype of each class and image
    (:func:`image_prototypes`); attention of the pixels to these (:class:`PrototypeMatching`); a 1x1 classifier. The
    stage before is not detached: this head's loss also teaches it which pixels to be confident about.

    Args:
        feat_channels: of queries, keys and values.
        bottleneck_kernel_size: odd sizes of the context's branches; or one number: a plain convolution of that size.
        branches_groups: groups of the branches' convolutions, 1 = dense, as published; None = depthwise.
        scale: factor on the scores from which the prototypes' weights are computed.
        context: further settings of :class:`MultiScaleContext`.

    Raises:
        ValueError: for even sizes, or settings that do not fit each other.
    """

    def __init__(
        self,
        feat_channels: int,
        bottleneck_kernel_size: int | Sequence[int] = 3,
        branches_groups: int | None = 1,
        scale: float = 1.0,
        context: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.scale = scale
        self.ms = self._build_context(bottleneck_kernel_size, branches_groups, dict(context or {}))
        self.pm = PrototypeMatching(self.channels, feat_channels, **self.conv_options)

    def _build_context(self, size: int | Sequence[int], groups: int | None, context: dict[str, Any]) -> nn.Module:
        if not isinstance(size, int):
            return MultiScaleContext(
                self.in_channels, self.channels, size, branches_groups=groups, **context, **self.conv_options
            )
        if size % 2 == 0:
            raise ValueError(f'PMDAV2: bottleneck_kernel_size={size} is even; odd sizes keep the size of the level')
        if context:
            raise ValueError('PMDAV2: context has settings of branches, but bottleneck_kernel_size is one number')
        return ConvModule(self.in_channels, self.channels, size, padding=size // 2, **self.conv_options)

    def embed(self, features: Sequence[Tensor], previous: Tensor | None = None) -> Tensor:
        assert previous is not None
        context = self.ms(self.level(features))
        previous = resize(previous, context.shape[2:], self.align_corners)
        return self.pm(context, image_prototypes(context, previous, self.scale))
