"""The segmentor of all methods: encoder, optional neck, decode head, optional auxiliary heads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from mmengine.model import initialize
from mmengine.structures import PixelData
from torch import Tensor, nn

from mmseg.models.precision import at_least_float32
from mmseg.models.resize import resize
from mmseg.models.segmentors.full_size import label_maps
from mmseg.models.segmentors.inference_options import InferenceOptions
from mmseg.models.segmentors.sliding_window import slide
from mmseg.models.segmentors.smaller_batches import retry_smaller
from mmseg.models.segmentors.views import View, mirrored, test_time_views
from mmseg.models.sixteen_bit_weights import cast_together
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample, SegOutput


@MODELS.register_module()
class EncoderDecoder(nn.Module):
    """A segmentation network: images to class scores.

    Args:
        backbone: config of the encoder.
        decode_head: config of the decode head.
        neck: config of a module between encoder and heads (list of levels to list of levels).
        auxiliary_head: config, or list of configs, of heads that only add losses.
        train_cfg: accepted because the config schema has it; nothing here depends on it.
        test_cfg: how to predict, see :class:`InferenceOptions`.
        pretrained: weights of the encoder, handed on to ``backbone``.
        init_cfg: mmengine initialisation config of the whole, applied after that of the parts.

    Raises:
        ValueError: if ``pretrained`` is given here and in the backbone, or ``test_cfg`` is wrong.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        decode_head: dict[str, Any],
        neck: dict[str, Any] | None = None,
        auxiliary_head: dict[str, Any] | Sequence[dict[str, Any]] | None = None,
        train_cfg: dict[str, Any] | None = None,
        test_cfg: dict[str, Any] | None = None,
        pretrained: str | None = None,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ):
        super().__init__()
        if pretrained is not None:
            if backbone.get('pretrained') is not None:
                raise ValueError('pretrained is set both in the segmentor and in its backbone: keep one')
            backbone = {**backbone, 'pretrained': pretrained}
        self.inference_options = InferenceOptions.from_config(test_cfg)
        self.init_cfg = init_cfg
        self.backbone = MODELS.build(backbone)
        self.neck = MODELS.build(neck) if neck is not None else None
        self.decode_head = MODELS.build(decode_head)
        self.auxiliary_head = _build_auxiliary(auxiliary_head)

    @property
    def num_classes(self) -> int:
        """Number of classes that are predicted."""
        return self.decode_head.num_classes

    @property
    def out_channels(self) -> int:
        """Channels of the logits: one for each class."""
        return self.num_classes

    @property
    def align_corners(self) -> bool:
        """Rule of resizing the logits."""
        return self.decode_head.align_corners

    @property
    def auxiliary_heads(self) -> dict[str, nn.Module]:
        """Auxiliary heads by the name of their logits and losses: ``aux``, or ``aux_0``, ``aux_1``, ... of a list."""
        if self.auxiliary_head is None:
            return {}
        if isinstance(self.auxiliary_head, nn.ModuleList):
            return {f'aux_{i}': head for i, head in enumerate(self.auxiliary_head)}
        return {'aux': self.auxiliary_head}

    def init_weights(self) -> None:
        """Initialise all parts and load pretrained weights."""
        for part in [self.backbone, self.neck, self.decode_head, *self.auxiliary_heads.values()]:
            if hasattr(part, 'init_weights'):
                part.init_weights()
        if self.init_cfg:
            initialize(self, self.init_cfg)

    def extract_feat(self, images: Tensor) -> list[Tensor]:
        """Levels of the encoder after the neck, finest first, of images (B, 3, H, W)."""
        with cast_together(self.backbone, images.device):
            features = list(self.backbone(images))
        return features if self.neck is None else list(self.neck(features))

    def forward(self, images: Tensor, crop_box: Tensor | None = None) -> SegOutput:
        """Everything that training needs, from images (B, 3, H, W).

        Args:
            images: normalised.
            crop_box: for networks with a detail crop; this one has none.

        Raises:
            ValueError: if a crop box is given.
        """
        if crop_box is not None:
            raise ValueError(f'{type(self).__name__} has no detail crop: crop_box must be None')
        features = self.extract_feat(images)
        main = self.decode_head(features)
        logits = dict(main.logits)
        for name, head in self.auxiliary_heads.items():
            logits |= {_auxiliary_key(name, key): value for key, value in head(features).logits.items()}
        return SegOutput(features, logits, main.embedding)

    def losses(self, out: SegOutput, labels: Tensor, weight: Tensor | None = None) -> dict[str, Tensor]:
        """Losses and accuracies of all heads: ``decode.loss_seg``, ``decode.acc_seg``, ``aux.loss_seg``, ...

        Args:
            out: of :meth:`forward`.
            labels: (B, H, W) int64.
            weight: (B, H, W) factor on each pixel's loss. A list of auxiliary heads gets it, a single one does not: as
                in the networks the published loss weights were tuned for.
        """
        losses = {f'decode.{key}': value for key, value in self.decode_head.losses(out.logits, labels, weight).items()}
        aux_weight = weight if isinstance(self.auxiliary_head, nn.ModuleList) else None
        for name, head in self.auxiliary_heads.items():
            logits = _auxiliary_logits(out.logits, name)
            losses |= {f'{name}.{key}': value for key, value in head.losses(logits, labels, aux_weight).items()}
        return losses

    def feature_views(self, images: Tensor, crop_box: Tensor | None = None) -> list[Tensor]:
        """The images that a feature distance shows to the frozen encoder, for images (B, 3, H, W) of a pass."""
        return [images]

    def compared_features(self, out: SegOutput, labels: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The student's side: for each of :meth:`feature_views` the last level (B, D, h, w) and labels (B, H, W)."""
        return [(out.features[-1], labels)]

    def encode_decode(self, images: Tensor) -> Tensor:
        """Logits (B, C, H, W) at the size of the images, in one piece."""
        logits, size = self.small_logits(images)
        return resize(logits, size, self.align_corners)[:, :, : images.shape[2], : images.shape[3]]

    def small_logits(self, images: Tensor) -> tuple[Tensor, Sequence[int]]:
        """Logits (B, C, h, w) before they are enlarged, and the (H, W) that they stand for.

        That is the size of the images, or a larger one where a network adds to them at the bottom and on the right.
        """
        return self.head_logits(images), images.shape[2:]

    def head_logits(self, images: Tensor) -> Tensor:
        """Logits (B, C, h, w) at the size that the head gives them."""
        return self.decode_head(self.extract_feat(images)).logits['main']

    def inference_logits(self, images: Tensor, ori_shape: Sequence[int] | None = None) -> Tensor:
        """Logits in the way ``test_cfg`` says, at ``ori_shape`` = (h, w), or at the size of the images."""
        size = images.shape[2:] if ori_shape is None else ori_shape
        return resize(self._unscaled_logits(images, size), size, self.align_corners)

    def _unscaled_logits(self, images: Tensor, size: Sequence[int]) -> Tensor:
        """Logits from which resizing to ``size`` = (h, w) starts, at least float32."""
        options = self.inference_options
        if options.mode == 'slide':
            pixels = options.pixels_on(images.device) if options.batched_slide else 0
            return slide(images, self.encode_decode, options.crop_size, options.stride, pixels)
        direct = options.single_resize or tuple(images.shape[2:]) == tuple(size)
        return at_least_float32(self.head_logits(images) if direct else self.encode_decode(images))

    @property
    def _batches_windows(self) -> bool:
        """Whether ``batch_pixels`` bounds the memory of inference."""
        return self.inference_options.mode == 'slide' and self.inference_options.batched_slide

    def inference(
        self, images: Tensor, ori_shape: Sequence[int] | None = None, flip: str | None = None, rescale: bool = True
    ) -> Tensor:
        """Class probabilities in the way ``test_cfg`` says.

        Args:
            images: (B, 3, H, W).
            ori_shape: height and width of the result; None = those of the images.
            flip: ``horizontal`` or ``vertical`` if the images are mirrored; the result is mirrored back.
            rescale: False = ``ori_shape`` is not looked at.

        Returns:
            (B, C, h, w), at least float32.

        Raises:
            ValueError: for another flip direction.
        """
        probabilities = self.to_probabilities(self.inference_logits(images, ori_shape if rescale else None))
        return mirrored(probabilities, flip)

    def to_probabilities(self, logits: Tensor) -> Tensor:
        """Class probabilities (B, C, h, w) of logits, at least float32."""
        return logits.softmax(dim=1)

    def to_label_maps(self, probabilities: Tensor) -> Tensor:
        """What ``predict`` hands out, (B, 1, h, w): the likeliest class; logits tell it as well."""
        # On a CPU max() finds the class several times faster than argmax().
        return probabilities.max(dim=1, keepdim=True).indices.to(
            torch.uint8 if self.num_classes <= 256 else torch.int64
        )

    @torch.no_grad()
    def predict(
        self, images: Tensor | Sequence[Tensor], data_samples: list[SegDataSample], probabilities: bool = False
    ) -> list[SegDataSample]:
        """Predicted label maps at the images' original size, written into the data samples.

        Several scales of the same images, and with ``test_cfg.flip_tta`` their mirrored versions, are averaged as
        probabilities.

        Args:
            images: (B, 3, H, W), or one such tensor per scale.
            data_samples: one per image; ``ori_shape`` in their metainfo is the size of the result
                (that of the first scale if missing).
            probabilities: also keep the class probabilities.

        Returns:
            the same samples with ``pred_sem_seg`` (1, h, w), uint8, and if asked for ``seg_logits`` (C, h, w), at least
            float32.

        Raises:
            ValueError: if the images of a batch have different original sizes.
            torch.OutOfMemoryError: if the device's memory does not suffice for single windows either.
        """
        scales = [images] if isinstance(images, Tensor) else list(images)
        ori_shape = _common_shape(data_samples) or scales[0].shape[2:]
        views = test_time_views(scales, self.inference_options)
        mean = self._tried(self._mean_probabilities, views, ori_shape) if probabilities else None
        labels = self._tried(self._label_maps, views, ori_shape) if mean is None else self.to_label_maps(mean)
        for sample, label in zip(data_samples, labels, strict=True):
            sample.pred_sem_seg = PixelData(data=label)
        if mean is not None:
            for sample, scores in zip(data_samples, mean, strict=True):
                sample.seg_logits = PixelData(data=scores)
        return data_samples

    def _tried(self, predict: Callable[..., Tensor], *args: Any) -> Tensor:
        return retry_smaller(self, predict, *args) if self._batches_windows else predict(*args)

    def _mean_probabilities(self, views: Sequence[View], size: Sequence[int]) -> Tensor:
        total = self.inference(views[0].shown(), size, views[0].flip)
        for view in views[1:]:
            total += self.inference(view.shown(), size, view.flip)
        return total.div_(len(views))

    def _label_maps(self, views: Sequence[View], size: Sequence[int]) -> Tensor:
        logits = (mirrored(self._unscaled_logits(view.shown(), size), view.flip) for view in views)
        pixels = sum(view.images.shape[2:].numel() for view in views)
        return label_maps(self, logits, len(views), size, together=pixels <= size[0] * size[1])


def _build_auxiliary(config: dict[str, Any] | Sequence[dict[str, Any]] | None) -> nn.Module | None:
    if config is None:
        return None
    if isinstance(config, dict):
        return MODELS.build(config)
    return nn.ModuleList(MODELS.build(one) for one in config)


def _auxiliary_key(name: str, prediction: str) -> str:
    return name if prediction == 'main' else f'{name}.{prediction}'


def _auxiliary_logits(logits: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    """What :meth:`EncoderDecoder.forward` stored of one auxiliary head, under the head's own keys."""
    further = {key.removeprefix(f'{name}.'): value for key, value in logits.items() if key.startswith(f'{name}.')}
    return {'main': logits[name]} | further


def _common_shape(data_samples: Sequence[SegDataSample]) -> tuple[int, int] | None:
    shapes = {tuple(sample.metainfo['ori_shape'][:2]) for sample in data_samples if 'ori_shape' in sample.metainfo}
    if len(shapes) > 1:
        raise ValueError(f'images of one batch have different original sizes {sorted(shapes)}: use batch_size=1')
    return shapes.pop() if shapes else None
