"""HRDA's head: one decoder for context and detail, and an attention that says where to trust which."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmseg.models.decode_heads.decode_head import BaseDecodeHead, HeadOutput
from mmseg.models.detail_crop import (
    DetailView,
    box_mask,
    output_stride,
    paste,
    rescale,
    same_area,
    scale_box,
    size_divisor,
)
from mmseg.models.losses.named import prefixed, weighted
from mmseg.models.precision import at_least_float32
from mmseg.registry import MODELS

TEST_OUTPUTS = ('fused', 'LR', 'HR', 'ATT')


@MODELS.register_module()
class HRDAHead(nn.Module):
    """Class scores of a coarse view of the whole image and of a fine view of parts of it, fused by learned attention.

    Reference: Hoyer et al., "HRDA", ECCV 2022 (arXiv:2204.13132), sections 3.2 to 3.4.

    Args:
        single_scale_head: name of the decode head that both scales share; of its predictions the main one is used.
        scales: of the context and the detail view, ascending; the segmentor fills them in.
        lr_loss_weight: share of the loss on the (attention-weighted) context prediction.
        hr_loss_weight: share of the loss on the detail prediction.
        attention_embed_dim: channels of the attention's decoder, where the single-scale head has such.
        attention_classwise: one attention map per class instead of a single one.
        fixed_attention: constant in place of the learned attention (then the network has none).
        test_output: ``fused``; for looking inside: ``LR`` = context alone, ``HR`` = detail alone, ``ATT`` = the
            attention of the predicted classes, one channel from 0 to 1. The weights are the same.
        debug_output_attention: the published spelling of ``test_output='ATT'``.
        enable_hr_crop, hr_slide_inference: accepted because the originals write them here; the segmentor decides.
        single_scale: arguments of the single-scale head.

    Raises:
        ValueError: if there are not two scales, loss weights leave nothing for the fused prediction, or a name is
            unknown.
    """

    def __init__(
        self,
        single_scale_head: str,
        scales: Sequence[float],
        lr_loss_weight: float = 0.0,
        hr_loss_weight: float = 0.0,
        attention_embed_dim: int = 256,
        attention_classwise: bool = True,
        fixed_attention: float | None = None,
        test_output: str = 'fused',
        debug_output_attention: bool = False,
        enable_hr_crop: bool = False,
        hr_slide_inference: bool = True,
        **single_scale: Any,
    ):
        super().__init__()
        if len(scales) != 2:
            raise ValueError(f'HRDA has two scales, context and detail; got scales={list(scales)}')
        if lr_loss_weight < 0 or hr_loss_weight < 0:
            raise ValueError(
                'HRDAHead: lr_loss_weight and hr_loss_weight are shares of the loss, from 0 on; '
                f'got {lr_loss_weight} and {hr_loss_weight}'
            )
        if test_output not in TEST_OUTPUTS:
            raise ValueError(f'HRDAHead: unknown test_output {test_output!r}; known: {", ".join(TEST_OUTPUTS)}')
        self.context_scale = scales[0]
        self.ratio = scales[1] / scales[0]
        self.lr_loss_weight = lr_loss_weight
        self.hr_loss_weight = hr_loss_weight
        self.fixed_attention = fixed_attention
        self.test_output = 'ATT' if debug_output_attention else test_output
        config = {'type': single_scale_head, **single_scale}
        self.head: BaseDecodeHead = MODELS.build(copy.deepcopy(config))
        self.scale_attention: BaseDecodeHead | None = None
        if fixed_attention is None:
            outputs = self.head.num_classes if attention_classwise else 1
            self.scale_attention = MODELS.build(attention_config(config, attention_embed_dim, outputs))

    @property
    def unused_parts(self) -> tuple[str, ...]:
        """Parts of checkpoints that this head does without."""
        return () if self.fixed_attention is None else ('scale_attention',)

    @property
    def num_classes(self) -> int:
        """Number of classes that are predicted."""
        return self.head.num_classes

    @property
    def align_corners(self) -> bool:
        """Rule of resizing the logits."""
        return self.head.align_corners

    def init_weights(self) -> None:
        """Initialise the decoders of prediction and attention."""
        self.head.init_weights()
        if self.scale_attention is not None:
            self.scale_attention.init_weights()

    def forward(self, context: Sequence[Tensor], detail: Sequence[Tensor], view: DetailView) -> HeadOutput:
        """Predict from the levels of both views.

        Args:
            context: the encoder's levels for the whole image, coarse, of B images.
            detail: its levels for the detail images.
            view: what the detail images show.

        Returns:
            logits ``main`` (B, C, H, W) at the detail's resolution; ``hr`` the detail prediction; at the context's
            resolution ``context`` its prediction, ``attention`` (0 to 1, of one or all classes, 0 outside the crop) and
            ``lr``, the prediction times one minus the attention. The embedding is the context's.

        Raises:
            ValueError: if the image size does not suit both scales.
        """
        coarse = self.head(context)
        detail_logits = self.detail_logits(detail)
        stride = output_stride(view.size[0], detail_logits.shape[2])
        self.check_sizes(view, stride, coarse.logits['main'].shape[2:])
        return self.combine(context, coarse, detail_logits, view, stride)

    def detail_logits(self, detail: Sequence[Tensor]) -> Tensor:
        """Class scores of detail images from the encoder's levels, at least float32."""
        return at_least_float32(self.head(detail).logits['main'])

    def combine(
        self, context: Sequence[Tensor], coarse: HeadOutput, detail_logits: Tensor, view: DetailView, stride: int
    ) -> HeadOutput:
        """What :meth:`forward` gives, from the predictions of both views.

        Args:
            context: the encoder's levels for the whole image, coarse.
            coarse: the single-scale head's prediction of them.
            detail_logits: of the crop, or of everything.
            view: what they show.
            stride: pixels per detail logit.
        """
        low = at_least_float32(coarse.logits['main'])
        main, scaled, attention = self.fuse(low, detail_logits, self.attention(context, low), view.crop_box, stride)
        logits = {'main': main, 'lr': scaled, 'hr': detail_logits, 'context': low, 'attention': attention}
        return HeadOutput(logits, coarse.embedding)

    def check_sizes(self, view: DetailView, stride: int, context: Sequence[int]) -> None:
        """Whether logits of both views cover the same areas.

        Args:
            view: what the detail images show.
            stride: pixels per detail logit.
            context: (h, w) of the context's logits.

        Raises:
            ValueError: if not.
        """
        divisor = size_divisor((self.context_scale, self.context_scale * self.ratio), stride)
        pairs = zip(context, view.image_size, strict=True)
        whole = all(same_area(logits, pixels, self.ratio, stride) for logits, pixels in pairs)
        crops = all(side % stride == 0 for side in view.size)
        checks = (('images', view.image_size, divisor, whole), ('detail crops', view.size, stride, crops))
        for what, size, unit, fits in checks:
            if not fits:
                raise ValueError(
                    f'HRDA needs {what} whose sides are multiples of {unit} with this encoder and head, '
                    f'got {size[0]}x{size[1]} (height x width)'
                )

    def attention(self, context: Sequence[Tensor], logits: Tensor) -> Tensor:
        """How much detail counts, (B or 1, C or 1, h, w) from 0 to 1, for the context's levels and prediction."""
        fixed = {'LR': 0.0, 'HR': 1.0}.get(self.test_output, self.fixed_attention)
        if fixed is not None or self.scale_attention is None:
            return torch.full_like(logits[:1, :1], fixed)
        return at_least_float32(self.scale_attention(context).logits['main']).sigmoid()

    def fuse(
        self, context: Tensor, detail: Tensor, attention: Tensor, crop_box: Tensor | None, stride: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Fused logits, context logits times one minus attention, and attention without what lies outside the crop.

        Attention and weighted context are up-sampled separately, so next to the border of the crop the weights of both
        scales do not add up to one; and the mask's border is rounded to cells of the context (published behaviour).

        Args:
            context: (B, C, h, w).
            detail: (B, C, h', w') of the crop, or (B, C, H, W) of everything.
            attention: (B or 1, C or 1, h, w).
            crop_box: (4,) int64, in pixels; None = everything.
            stride: pixels per detail logit.
        """
        if crop_box is not None:
            cells = scale_box(crop_box, stride / self.context_scale)
            attention = attention * box_mask(cells, context.shape[2:])
        scaled = (1 - attention) * context
        upsampled = rescale(scaled, self.ratio)
        if crop_box is not None:
            detail = paste(detail, scale_box(crop_box, stride), upsampled.shape[2:])
        weight = rescale(attention, self.ratio)
        fused = weight * detail + upsampled
        if self.test_output == 'ATT':
            fused = (weight * at_least_float32(fused).softmax(dim=1)).sum(dim=1, keepdim=True)
        return fused, scaled, attention

    def losses(
        self,
        logits: dict[str, Tensor],
        labels: Tensor,
        weight: Tensor | None = None,
        detail_labels: Tensor | None = None,
        detail_weight: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Losses, each times its share, and accuracies: of the fused prediction, ``lr.`` context, ``hr.`` detail.

        Args:
            logits: of :meth:`forward`.
            labels: (B, H, W) int64.
            weight: (B, H, W) factor on each pixel's loss.
            detail_labels: labels of the detail crop; None = the detail covers everything.
            detail_weight: the crop's part of ``weight``.

        Raises:
            ValueError: if this head was built to show something else than the fused prediction, or labels do not fit.
        """
        if self.test_output != 'fused':
            raise ValueError(f'HRDAHead with test_output={self.test_output!r} is for looking inside, not for training')
        if detail_labels is None:
            detail_labels, detail_weight = labels, weight
        share = 1 - self.lr_loss_weight - self.hr_loss_weight
        losses = weighted(share, self.head.loss(logits['main'], labels, weight))
        if self.lr_loss_weight > 0:
            context = self.head.loss(logits['lr'], labels, weight)
            losses |= prefixed('lr.', weighted(self.lr_loss_weight, context))
        if self.hr_loss_weight > 0:
            detail = self.head.loss(logits['hr'], detail_labels, detail_weight)
            losses |= prefixed('hr.', weighted(self.hr_loss_weight, detail))
        return losses


def attention_config(config: Mapping[str, Any], width: int, outputs: int) -> dict[str, Any]:
    """The attention's decoder: that of the predictions, as wide as asked for, and with a plain fusion.

    Args:
        config: of the single-scale head.
        width: channels, where the head has such a setting and its embeddings are not identities.
        outputs: number of attention maps.

    Returns:
        A config; ASPP fusion of DAFormer's head has become a 1x1 convolution (HRDA, section 3.3).
    """
    changed = {**copy.deepcopy(dict(config)), 'num_classes': outputs}
    if 'channels' in changed:
        changed['channels'] = width
    params = changed.get('decoder_params', {})
    embeddings = [params.get(key) for key in ('embed_cfg', 'embed_neck_cfg')]
    if 'id' not in [layer.get('type') for layer in embeddings if isinstance(layer, dict)]:
        params |= {key: width for key in ('embed_dims', 'embed_dim') if key in params}
    fusion = params.get('fusion_cfg', {})
    if fusion.get('type') == 'aspp':
        params['fusion_cfg'] = {
            'type': 'conv',
            'kernel_size': 1,
            'act_cfg': {'type': 'ReLU'},
            'norm_cfg': fusion.get('norm_cfg'),
        }
    return changed
