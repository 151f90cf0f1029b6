"""A segmentor whose heads refine each other's predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.model import initialize
from torch import Tensor, nn

from mmseg.models.decode_heads.cascade_decode_head import CascadeHeads, stage_names
from mmseg.models.segmentors.encoder_decoder import EncoderDecoder, _auxiliary_logits
from mmseg.registry import MODELS
from mmseg.structures import SegOutput


@MODELS.register_module()
class CascadeEncoderDecoder(EncoderDecoder):
    """A segmentation network with several decode heads in a row; the last one's prediction counts.

    To a method the last stage is ``main`` and the earlier ones are auxiliary heads.

    Args:
        backbone: config of the encoder.
        decode_head: configs of the heads: any head first, then such as ``PMDAV2`` that read the stage before.
        num_stages: number of heads.
        inference_use_first_head: predict with the first head alone.
        num_classes: of all heads; None = as their configs say.
        repeat_norm_update: in a training pass, stages that are not the last count the batch's statistics twice, as in
            the published code, which runs these heads twice: their running statistics follow with momentum 0.19 for
            0.1. False saves that work; nothing but these statistics changes.
        kwargs: of :class:`EncoderDecoder`.

    Raises:
        ValueError: if ``decode_head`` is no list of ``num_stages`` heads that make a cascade, or for an auxiliary head.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        decode_head: Sequence[dict[str, Any]],
        num_stages: int,
        inference_use_first_head: bool = False,
        num_classes: int | None = None,
        repeat_norm_update: bool = True,
        **kwargs: Any,
    ):
        if isinstance(decode_head, dict) or len(decode_head) != num_stages or num_stages < 1:
            given = 'one dict' if isinstance(decode_head, dict) else f'a list of {len(decode_head)}'
            raise ValueError(f'CascadeEncoderDecoder: decode_head must list num_stages={num_stages} heads, got {given}')
        if kwargs.get('auxiliary_head') is not None:
            raise ValueError('CascadeEncoderDecoder: its first stages are its auxiliary heads: remove auxiliary_head')
        heads = {
            'type': CascadeHeads,
            'heads': list(decode_head),
            'num_classes': num_classes,
            'repeat_norm_update': repeat_norm_update,
        }
        super().__init__(backbone, heads, **kwargs)
        self.num_stages = num_stages
        self.inference_use_first_head = inference_use_first_head

    @property
    def auxiliary_heads(self) -> dict[str, nn.Module]:
        """The stages before the last, by the name of their logits: ``aux``, or ``aux_0``, ``aux_1``, ... of several."""
        return dict(zip(stage_names(self.num_stages)[:-1], self.decode_head, strict=False))

    def init_weights(self) -> None:
        """Initialise all parts and load pretrained weights."""
        for part in [self.backbone, self.neck, *self.decode_head]:
            if hasattr(part, 'init_weights'):
                part.init_weights()
        if self.init_cfg:
            initialize(self, self.init_cfg)

    def forward(self, images: Tensor, crop_box: Tensor | None = None) -> SegOutput:
        """Everything that training needs, from images (B, 3, H, W).

        Returns:
            ``logits`` of all stages: ``main`` of the last, ``aux`` (or ``aux_0``, ...) of those before; ``embedding``
            of the last.

        Raises:
            ValueError: if a crop box is given: there is no detail crop.
        """
        if crop_box is not None:
            raise ValueError('CascadeEncoderDecoder has no detail crop: crop_box must be None')
        features = self.extract_feat(images)
        out = self.decode_head(features, to_train=True)
        return SegOutput(features, out.logits, out.embedding)

    def losses(self, out: SegOutput, labels: Tensor, weight: Tensor | None = None) -> dict[str, Tensor]:
        """Losses and accuracies of all stages: ``decode_0.loss_seg``, ``decode_0.acc_seg``, ``decode_1.loss_seg``, ...

        Args:
            out: of :meth:`forward`.
            labels: (B, H, W) int64.
            weight: (B, H, W) factor on each pixel's loss, of all stages.
        """
        losses = {}
        for index, (name, head) in enumerate(zip(stage_names(self.num_stages), self.decode_head, strict=True)):
            logits = out.logits if name == 'main' else _auxiliary_logits(out.logits, name)
            of_head = head.losses(logits, labels, weight)
            losses |= {f'decode_{index}.{key}': value for key, value in of_head.items()}
        return losses

    def head_logits(self, images: Tensor) -> Tensor:
        """Logits (B, C, h, w) of the last stage (or the first, if so configured) at the size that it gives them."""
        stages = 1 if self.inference_use_first_head else self.num_stages
        return self.decode_head(self.extract_feat(images), stages).logits['main']
