"""What all decode heads share: choosing encoder levels, the classifier, its initialisation and the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from mmengine.model import initialize
from torch import Tensor, nn

from mmseg.models.losses import CrossEntropyLoss, accuracy, cross_entropy_by_bands
from mmseg.models.precision import at_least_float32
from mmseg.models.resize import BAND, resize
from mmseg.registry import MODELS

RELU = {'type': 'ReLU'}  # default activation; ConvModule copies it


class HeadOutput(NamedTuple):
    """What a head's forward gives.

    Attributes:
        logits: (B, C, h, w) class scores at the head's own resolution; ``main``, and more where a head has them.
        embedding: (B, D, h, w) the feature before the classifier and its dropout.
    """

    logits: dict[str, Tensor]
    embedding: Tensor


class BaseDecodeHead(nn.Module):
    """A head that maps the encoder's levels to one feature and classifies it with a 1x1 convolution.

    A subclass implements :meth:`embed`; one with another classifier or more predictions overrides :meth:`classify` or
    :meth:`forward` and :meth:`losses`.

    Args:
        in_channels: channels of the level, or of each level.
        channels: channels of the feature before the classifier.
        num_classes: number of classes.
        in_index: number of the level, or of each level, in the encoder's list.
        input_transform: None = one level; ``multiple_select`` = a list of levels; ``resize_concat`` = the levels
            resized to the first one's size and concatenated.
        dropout_ratio: probability with which Dropout2d drops a channel before the classifier.
        conv_cfg: convolution config of all ConvModules.
        norm_cfg: norm config of all ConvModules; None = no norm and a bias instead.
        act_cfg: activation config of all ConvModules.
        loss_decode: config of the loss, or a list of configs, the first of which is ``loss_seg``, the others called
            by their ``loss_name``; None = CrossEntropyLoss.
        ignore_index: label without loss.
        align_corners: rule of all resizing in and after the head.
        init_cfg: mmengine initialisation config; None = N(0, 0.01) on the classifier.
        sampler, decoder_params: accepted because configs have them; the first is None, the second means nothing here.

    Raises:
        ValueError: if there is a sampler, or channels, levels and ``input_transform`` do not fit each other.
    """

    in_channels: Any  # one number, or one per level for heads of several levels
    in_index: Any
    band_limit = BAND  # larger maps at full size go band by band through the loss
    init_default: dict[str, Any] | None = {'type': 'Normal', 'std': 0.01, 'override': {'name': 'conv_seg'}}

    def __init__(
        self,
        in_channels: int | Sequence[int],
        channels: int,
        num_classes: int,
        in_index: int | Sequence[int] = -1,
        input_transform: str | None = None,
        dropout_ratio: float = 0.1,
        conv_cfg: dict[str, Any] | None = None,
        norm_cfg: dict[str, Any] | None = None,
        act_cfg: dict[str, Any] | None = RELU,
        loss_decode: dict[str, Any] | Sequence[dict[str, Any]] | None = None,
        ignore_index: int = 255,
        align_corners: bool = False,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
        sampler: None = None,
        decoder_params: dict[str, Any] | None = None,
    ):
        super().__init__()
        if sampler is not None:
            raise ValueError(f'{type(self).__name__}: losses cover all pixels, there is no sampler={sampler!r}')
        self._check_inputs(in_channels, in_index, input_transform)
        self.in_index = in_index
        self.input_transform = input_transform
        self.in_channels = sum(in_channels) if input_transform == 'resize_concat' else in_channels
        self.channels = channels
        self.num_classes = num_classes
        self.conv_options = {'conv_cfg': conv_cfg, 'norm_cfg': norm_cfg, 'act_cfg': act_cfg}
        self.ignore_index = ignore_index
        self.align_corners = align_corners
        self.init_cfg = init_cfg or self.init_default
        self.loss_decode, self.further_losses = _build_losses(loss_decode or {'type': 'CrossEntropyLoss'})
        self.dropout = nn.Dropout2d(dropout_ratio) if dropout_ratio > 0 else nn.Identity()
        self.conv_seg = self._build_classifier()

    def _check_inputs(self, in_channels: Any, in_index: Any, input_transform: str | None) -> None:
        name = type(self).__name__
        if input_transform not in (None, 'multiple_select', 'resize_concat'):
            raise ValueError(
                f'{name}: unknown input_transform {input_transform!r}; known: None, multiple_select, resize_concat'
            )
        if input_transform is None:
            if not isinstance(in_channels, int) or not isinstance(in_index, int):
                raise ValueError(
                    f'{name} reads one level: in_channels and in_index must be integers, '
                    f'got {in_channels} and {in_index}'
                )
        elif isinstance(in_channels, int) or isinstance(in_index, int) or len(in_channels) != len(in_index):
            raise ValueError(
                f'{name} reads several levels: in_channels and in_index must be lists of equal length, '
                f'got {in_channels} and {in_index}'
            )

    @property
    def embedding_channels(self) -> int:
        """Channels of the feature that the classifier sees."""
        return self.channels

    @property
    def classifier(self) -> nn.Module | None:
        """The last layer, from that feature to the class scores; None where it is not a single layer."""
        return self.conv_seg

    def _build_classifier(self) -> nn.Module | None:
        return nn.Conv2d(self.channels, self.num_classes, kernel_size=1)

    def init_weights(self) -> None:
        """Initialise what the layers' own constructors leave to the head (ConvModules start from Kaiming normal)."""
        if self.init_cfg:
            initialize(self, self.init_cfg)

    def level(self, features: Sequence[Tensor]) -> Tensor:
        """The one level that this head reads from the encoder's list, or with ``resize_concat`` its joined levels."""
        if self.input_transform is None:
            return features[self.in_index]
        first, *others = self.levels(features)
        return torch.cat([first] + [resize(x, first.shape[2:], self.align_corners) for x in others], dim=1)

    def levels(self, features: Sequence[Tensor]) -> list[Tensor]:
        """The levels that a head of several levels reads from the encoder's list, in the order of ``in_index``."""
        return [features[index] for index in self.in_index]

    def embed(self, features: Sequence[Tensor]) -> Tensor:
        """The feature (B, channels, h, w) that the classifier sees, from the encoder's levels."""
        raise NotImplementedError

    def classify(self, embedding: Tensor) -> Tensor:
        """Class scores (B, C, h, w) of an embedding."""
        return self.conv_seg(self.dropout(embedding))

    def forward(self, features: Sequence[Tensor]) -> HeadOutput:
        """Predict from the encoder's levels, finest first, each (B, C_i, H_i, W_i)."""
        embedding = self.embed(features)
        return HeadOutput({'main': self.classify(embedding)}, embedding)

    def losses(self, logits: dict[str, Tensor], labels: Tensor, weight: Tensor | None = None) -> dict[str, Tensor]:
        """Loss and pixel accuracy of this head's predictions.

        Args:
            logits: as given by :meth:`forward`.
            labels: (B, H, W) int64.
            weight: (B, H, W) factor on each pixel's loss.

        Returns:
            ``loss_seg`` and ``acc_seg`` (per cent of all pixels, ignored ones included).

        Raises:
            ValueError: if labels or weight have another shape or type.
        """
        return self.loss(logits['main'], labels, weight)

    def loss(self, logits: Tensor, labels: Tensor, weight: Tensor | None = None) -> dict[str, Tensor]:
        """``loss_seg`` and ``acc_seg`` of one prediction, up-sampled to the size of the labels."""
        _check_labels(logits, labels, weight)
        logits = at_least_float32(logits)
        if self._pays_in_bands(logits, labels):
            loss, correct = cross_entropy_by_bands(
                self.loss_decode, logits, labels, weight, self.ignore_index, self.align_corners, self.band_limit
            )
            return {'loss_seg': loss, 'acc_seg': correct}
        logits = resize(logits, labels.shape[1:], self.align_corners)
        loss = self.loss_decode(logits, labels, weight=weight, ignore_index=self.ignore_index)
        losses = {'loss_seg': loss}
        for further in self.further_losses:
            losses[further.loss_name] = further(logits, labels, weight=weight, ignore_index=self.ignore_index)
        return {**losses, 'acc_seg': accuracy(logits.detach(), labels)}

    def _pays_in_bands(self, logits: Tensor, labels: Tensor) -> bool:
        """Whether the loss is one that bands can be summed to, and the map of all rows large."""
        return (
            type(self.loss_decode) is CrossEntropyLoss
            and self.loss_decode.reduction != 'none'
            and not self.further_losses
            and logits.requires_grad
            and logits.shape[2:] != labels.shape[1:]
            and logits.shape[1] * labels.numel() > self.band_limit
        )


def _build_losses(config: dict[str, Any] | Sequence[dict[str, Any]]) -> tuple[nn.Module, nn.ModuleList]:
    first, *further = [config] if isinstance(config, dict) else config
    return MODELS.build(first), nn.ModuleList(MODELS.build(loss) for loss in further)


def _check_labels(logits: Tensor, labels: Tensor, weight: Tensor | None) -> None:
    if labels.ndim != 3 or len(labels) != len(logits) or labels.dtype != torch.int64:
        raise ValueError(
            f'labels must be int64 of shape ({len(logits)}, H, W), got {labels.dtype} {tuple(labels.shape)}'
        )
    if weight is not None and weight.shape != labels.shape:
        raise ValueError(
            f'pixel weight of shape {tuple(weight.shape)}, expected that of the labels {tuple(labels.shape)}'
        )
