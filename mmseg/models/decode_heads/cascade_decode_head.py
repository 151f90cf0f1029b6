"""Heads that refine what another head predicted, and a cascade of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmseg.models.decode_heads.decode_head import BaseDecodeHead, HeadOutput
from mmseg.registry import MODELS


class CascadeDecodeHead(BaseDecodeHead):
    """A head that also reads the class scores of the stage before it; a subclass implements :meth:`embed`."""

    def embed(self, features: Sequence[Tensor], previous: Tensor | None = None) -> Tensor:
        """The feature (B, channels, h, w) that the classifier sees.

        Args:
            features: the encoder's levels, finest first.
            previous: (B, C, h', w') class scores of the stage before.
        """
        raise NotImplementedError

    def forward(self, features: Sequence[Tensor], previous: Tensor | None = None) -> HeadOutput:
        """Predict from the encoder's levels and from the class scores of the stage before.

        Raises:
            ValueError: if there is no stage before.
        """
        if previous is None:
            raise ValueError(
                f'{type(self).__name__} refines the prediction of another head: it can be a later stage of a '
                'CascadeEncoderDecoder, not its first one and not a head by itself'
            )
        embedding = self.embed(features, previous)
        return HeadOutput({'main': self.classify(embedding)}, embedding)


class CascadeHeads(nn.ModuleList):
    """Heads in a row, each but the first reading the prediction before it.

    Args:
        heads: configs of the heads: any head, then :class:`CascadeDecodeHead` ones.
        num_classes: of all heads; None = as the heads' configs say.
        repeat_norm_update: see :class:`CascadeEncoderDecoder`.

    Raises:
        ValueError: if a head has no place in a cascade, or the heads predict different numbers of classes.
    """

    def __init__(
        self, heads: Sequence[dict[str, Any]], num_classes: int | None = None, repeat_norm_update: bool = True
    ):
        common = {} if num_classes is None else {'num_classes': num_classes}
        super().__init__(MODELS.build({**head, **common}) for head in heads)
        self.repeat_norm_update = repeat_norm_update
        self.num_classes: int = self[-1].num_classes
        self.align_corners: bool = self[-1].align_corners
        self._check()

    def _check(self) -> None:
        for index, head in enumerate(self):
            name = type(head).__name__
            if index == 0 and isinstance(head, CascadeDecodeHead):
                raise ValueError(f'decode_head[0]: {name} refines another prediction and cannot be the first stage')
            if index > 0 and not isinstance(head, CascadeDecodeHead):
                raise ValueError(f'decode_head[{index}]: {name} does not read the stage before; PMDAV2 does')
        if len(counts := {head.num_classes for head in self}) > 1:
            raise ValueError(f'the stages predict {sorted(counts)} classes: set num_classes of the segmentor for all')

    def forward(self, features: Sequence[Tensor], stages: int | None = None, to_train: bool = False) -> HeadOutput:
        """Predictions of the stages.

        Args:
            features: the encoder's levels, finest first.
            stages: how many to run; None = all.
            to_train: a stage's prediction for its loss and that for the next stage see different channels dropped, and
                in train mode ``repeat_norm_update`` counts.

        Returns:
            ``logits`` by :func:`stage_names`, and the last stage's embedding.
        """
        names = stage_names(stages or len(self))
        logits: dict[str, Tensor] = {}
        inputs: tuple[Any, ...] = (features,)
        for name, head in zip(names, self, strict=False):
            out = head(*inputs)
            logits |= {_key(name, prediction): value for prediction, value in out.logits.items()}
            if name == names[-1]:
                break
            previous = out.logits['main']
            if to_train:
                previous = head.classify(out.embedding)
                self._update_norms_again(head, inputs)
            inputs = (features, previous)
        return HeadOutput(logits, out.embedding)

    def _update_norms_again(self, head: nn.Module, inputs: tuple[Any, ...]) -> None:
        if self.repeat_norm_update and head.training:
            with torch.no_grad():
                head.embed(*inputs)  # type: ignore[operator]


def stage_names(count: int) -> list[str]:
    """Names of the stages' predictions: ``aux`` (``aux_0``, ``aux_1``, ... of several), and ``main`` for the last."""
    return [*(['aux'] if count == 2 else [f'aux_{index}' for index in range(count - 1)]), 'main']


def _key(stage: str, prediction: str) -> str:
    if stage == 'main':
        return prediction
    return stage if prediction == 'main' else f'{stage}.{prediction}'
