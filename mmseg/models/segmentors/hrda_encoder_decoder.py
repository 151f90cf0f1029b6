"""HRDA: a coarse look at the whole image and a fine look at parts of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg.models.detail_crop import DetailView, crop, draw_offset, fitting_side, output_stride, rescale
from mmseg.models.segmentors.encoder_decoder import EncoderDecoder
from mmseg.models.segmentors.sliding_window import slide
from mmseg.models.sixteen_bit_weights import cast_together
from mmseg.registry import MODELS
from mmseg.structures import SegOutput

NEVER_PADDED = 64  # sides that are multiples of this suit all published networks


@MODELS.register_module()
class HRDAEncoderDecoder(EncoderDecoder):
    """A segmentation network that sees the image at two scales (Hoyer et al., ECCV 2022, arXiv:2204.13132).

    The context view is the whole image, scaled down; the detail view is, in training, one random crop of it, the same
    for the whole batch, and in inference overlapping windows. The crop is drawn by :meth:`draw_crop_box` outside the
    network and handed in.

    Args:
        backbone: config of the encoder, which both views share.
        decode_head: config of an ``HRDAHead``.
        scales: of the two views, in any order.
        hr_crop_size: height and width of a detail crop and of a detail window; None = the detail view is whole.
        hr_slide_inference: False = the detail view is whole in inference.
        hr_slide_overlapping: windows overlap by half; False = they lie side by side.
        crop_coord_divisible: the crop's corner is a multiple of this.
        blur_hr_crop: views of scale 1 are scaled to a half and back (the paper's control experiment).
        feature_scale: which view a feature distance compares, by its scale; ``all`` = both.
        kwargs: of :class:`EncoderDecoder`.

    Raises:
        ValueError: for another head, an auxiliary head, a crop of scaled images, or a feature scale that is none.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        decode_head: dict[str, Any],
        scales: Sequence[float] = (1, 0.5),
        hr_crop_size: Sequence[int] | None = None,
        hr_slide_inference: bool = True,
        hr_slide_overlapping: bool = True,
        crop_coord_divisible: int = 1,
        blur_hr_crop: bool = False,
        feature_scale: float | str = 1,
        **kwargs: Any,
    ):
        self.scales = sorted(scales)
        self._check(decode_head, hr_crop_size, feature_scale, kwargs.get('auxiliary_head'))
        super().__init__(backbone, {**decode_head, 'scales': self.scales}, **kwargs)
        self.hr_crop_size = None if hr_crop_size is None else (int(hr_crop_size[0]), int(hr_crop_size[1]))
        self.hr_slide_inference = hr_slide_inference
        self.hr_slide_overlapping = hr_slide_overlapping
        self.crop_coord_divisible = crop_coord_divisible
        self.blur_hr_crop = blur_hr_crop
        self.feature_scale = feature_scale
        self._stride: int | None = None  # pixels of the context per logit; known once images were seen
        self._batch_statistics = any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in self.backbone.modules())

    def _check(self, decode_head: dict[str, Any], crop_size: Any, feature_scale: Any, auxiliary_head: Any) -> None:
        head = decode_head.get('type')
        if head != 'HRDAHead':
            raise ValueError(f"HRDAEncoderDecoder: write decode_head.type='HRDAHead' and single_scale_head={head!r}")
        if auxiliary_head is not None:
            raise ValueError('HRDAEncoderDecoder has no auxiliary heads: remove auxiliary_head')
        if crop_size is not None and self.scales[-1] != 1:
            raise ValueError(f'hr_crop_size crops images and labels alike, so one of scales={self.scales} must be 1')
        if feature_scale not in ('all', *self.scales):
            raise ValueError(f"feature_scale={feature_scale!r} is none of scales={self.scales}, nor 'all'")

    # Views

    def draw_crop_box(self, images: Tensor, generator: torch.Generator | None = None) -> Tensor | None:
        """Draw where the detail crop of a training pass lies.

        Args:
            images: (B, 3, H, W) of the pass.
            generator: of the CPU.

        Returns:
            (4,) int64 y1, y2, x1, x2, on the CPU; None if the detail view is whole.

        Raises:
            ValueError: if the images are smaller than the crop.
        """
        if self.hr_crop_size is None:
            return None
        height, width = self.hr_crop_size
        y = draw_offset(images.shape[2], height, self.crop_coord_divisible, generator)
        x = draw_offset(images.shape[3], width, self.crop_coord_divisible, generator)
        return torch.tensor([y, y + height, x, x + width])

    def _scaled(self, images: Tensor, scale: float) -> Tensor:
        if scale == 1 and self.blur_hr_crop:
            return rescale(rescale(images, 0.5), 2)
        return rescale(images, scale)

    def _context(self, images: Tensor) -> Tensor:
        return self._scaled(images, self.scales[0])

    def _detail(self, images: Tensor, crop_box: Tensor | None) -> tuple[Tensor, DetailView]:
        """Detail images, the crop or the whole, and what they show."""
        images = self._scaled(images, self.scales[-1])
        whole = (images.shape[2], images.shape[3])
        if crop_box is None or self.hr_crop_size is None:
            return images, DetailView(whole, whole)
        return crop(images, crop_box, self.hr_crop_size), DetailView(whole, self.hr_crop_size, crop_box)

    def _extract(self, views: Sequence[Tensor]) -> list[list[Tensor]]:
        """Levels of each view; in one batch where that changes nothing: same size, no statistics of the batch."""
        same_size = len({view.shape[1:] for view in views}) == 1
        if not same_size or (self._batch_statistics and self.training):
            with cast_together(self.backbone, views[0].device):
                return [self.extract_feat(view) for view in views]
        counts = [len(view) for view in views]
        levels = [level.split(counts) for level in self.extract_feat(torch.cat(tuple(views)))]
        return [list(parts) for parts in zip(*levels, strict=True)]

    # Training

    def forward(self, images: Tensor, crop_box: Tensor | None = None) -> SegOutput:
        """Everything that training needs, from images (B, 3, H, W).

        Args:
            images: normalised.
            crop_box: of :meth:`draw_crop_box`, on the images' device; None = detail everywhere, as in inference.

        Returns:
            ``logits`` as of :class:`HRDAHead`; ``features`` and ``embedding`` of the context view, ``detail_features``.

        Raises:
            ValueError: for a crop box if there is no ``hr_crop_size``, or image sizes that do not suit both scales.
        """
        if crop_box is not None and self.hr_crop_size is None:
            raise ValueError('HRDAEncoderDecoder has no hr_crop_size, so crop_box must be None')
        if crop_box is None and self.hr_crop_size is not None and self.hr_slide_inference:
            return self._forward_windows(images)
        details, view = self._detail(images, crop_box)
        context, detail = self._extract([self._context(images), details])
        out = self.decode_head(context, detail, view)
        return SegOutput(context, out.logits, out.embedding, crop_box, detail)

    def _forward_windows(self, images: Tensor) -> SegOutput:
        """Detail everywhere, by windows, whose features are not kept."""
        context_images, details = self._context(images), self._scaled(images, self.scales[-1])
        context = self.extract_feat(context_images)
        head = self.decode_head
        coarse = head.head(context)
        height, width = self.hr_crop_size
        cell = output_stride(context_images.shape[2], coarse.logits['main'].shape[2])
        whole = (details.shape[2], details.shape[3])
        view = DetailView(whole, (min(height, whole[0]), min(width, whole[1])))
        head.check_sizes(view, cell, coarse.logits['main'].shape[2:])
        detail = slide(
            details,
            lambda windows: head.detail_logits(self.extract_feat(windows)),
            (height, width),
            (height // 2, width // 2) if self.hr_slide_overlapping else (height, width),
            # Batch statistics in training, of a teacher say, are those of all windows.
            None if self.training else self.inference_options.pixels_on(images.device),
            cell,
        )
        out = head.combine(context, coarse, detail, view, cell)
        return SegOutput(context, out.logits, out.embedding)

    def losses(self, out: SegOutput, labels: Tensor, weight: Tensor | None = None) -> dict[str, Tensor]:
        """``decode.loss_seg``, ``decode.acc_seg``; likewise ``decode.lr.*``, ``decode.hr.*`` for scales with a share.

        Args:
            out: of :meth:`forward`.
            labels: (B, H, W) int64.
            weight: (B, H, W) factor on each pixel's loss.
        """
        parts = (labels, weight)
        if out.crop_box is not None:
            parts = tuple(None if part is None else self._cropped(part, out.crop_box) for part in parts)
        losses = self.decode_head.losses(out.logits, labels, weight, *parts)
        return {f'decode.{key}': value for key, value in losses.items()}

    def _cropped(self, x: Tensor, crop_box: Tensor) -> Tensor:
        return x if self.hr_crop_size is None else crop(x, crop_box, self.hr_crop_size)

    @property
    def _compared(self) -> list[int]:
        """Views of a feature distance, 0 = context, 1 = detail; of equal scales the context, which is whole."""
        return [0, 1] if self.feature_scale == 'all' else [self.scales.index(self.feature_scale)]

    def feature_views(self, images: Tensor, crop_box: Tensor | None = None) -> list[Tensor]:
        views = (lambda: self._context(images), lambda: self._detail(images, crop_box)[0])
        return [views[index]() for index in self._compared]

    def compared_features(self, out: SegOutput, labels: Tensor) -> list[tuple[Tensor, Tensor]]:
        pairs = []
        for index in self._compared:
            if index == 0:
                pairs.append((out.features[-1], labels))
            else:
                part = labels if out.crop_box is None else self._cropped(labels, out.crop_box)
                pairs.append((out.detail_features[-1], part))
        return pairs

    # Inference

    @property
    def _batches_windows(self) -> bool:
        return (self.hr_crop_size is not None and self.hr_slide_inference) or super()._batches_windows

    def small_logits(self, images: Tensor) -> tuple[Tensor, Sequence[int]]:
        """Logits before they are enlarged, or attention (B, 1, h, w) if the head shows ``ATT``, and what they cover."""
        padded = self._padded(images)
        return self(padded).logits['main'], padded.shape[2:]

    def head_logits(self, images: Tensor) -> Tensor:
        """Those of :meth:`encode_decode`: padding is cut off at full size."""
        return self.encode_decode(images)

    def _padded(self, images: Tensor) -> Tensor:
        """Images with mean colour added at the right and bottom, where both views' logits would not fit each other."""
        if all(side % NEVER_PADDED == 0 for side in images.shape[2:]):
            return images
        if self._stride is None:
            self._stride = self._find_stride(self._context(images))
        bottom, right = (fitting_side(side, self.scales, self._stride) - side for side in images.shape[2:])
        return F.pad(images, (0, right, 0, bottom)) if bottom or right else images

    @torch.no_grad()
    def _find_stride(self, context: Tensor) -> int:
        """Pixels of the context per logit. Its forward pass leaves no trace in statistics and random numbers."""
        training = {module: module.training for module in self.modules()}
        self.eval()
        try:
            logits = self.decode_head.head(self.extract_feat(context)).logits['main']
        finally:
            for module, mode in training.items():
                module.training = mode
        return output_stride(context.shape[2], logits.shape[2])

    @property
    def shows_attention(self) -> bool:
        """Whether predictions are attention maps instead of class scores."""
        return self.decode_head.test_output == 'ATT'

    def to_probabilities(self, logits: Tensor) -> Tensor:
        return logits if self.shows_attention else super().to_probabilities(logits)

    def to_label_maps(self, probabilities: Tensor) -> Tensor:
        return probabilities if self.shows_attention else super().to_label_maps(probabilities)
