"""From the loader's bytes to normalised batches, on the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mmseg.registry import MODELS
from mmseg.structures import DomainBatch, TrainBatch


@MODELS.register_module()
class SegDataPreProcessor(BaseDataPreprocessor):
    """Moves uint8 batches to the device and normalises there: BGR -> RGB, (x - mean) / std in the dtype of ``mean``.

    Training batches (``collate_domains``) become a ``TrainBatch``; validation and test batches keep their mmseg-1.x
    form with ``inputs`` (B, 3, H, W), or a list of such with several scales. Pixels beyond ``img_shape`` (padding at
    the right and the bottom) become 0 after normalisation, their labels 255, their valid mask False.

    Args:
        mean: mean per channel, in the order after the conversion, for values 0..255.
        std: standard deviation, likewise.
        bgr_to_rgb: swap the channels before.
        non_blocking: copy from pinned memory without waiting.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        mean: Sequence[float] = (123.675, 116.28, 103.53),
        std: Sequence[float] = (58.395, 57.12, 57.375),
        bgr_to_rgb: bool = True,
        non_blocking: bool = True,
    ):
        super().__init__(non_blocking=non_blocking)
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ValueError(f'SegDataPreProcessor: mean and std need three values, std above 0; got {mean}, {std}')
        self.bgr_to_rgb = bgr_to_rgb
        self.non_blocking = non_blocking
        for name, values in (('mean', mean), ('std', std)):
            self.register_buffer(name, torch.tensor([float(value) for value in values]).view(3, 1, 1), persistent=False)

    def forward(self, data: Mapping[str, Any], training: bool = False) -> TrainBatch | dict[str, Any]:
        """A collated batch on the device, normalised."""
        if not training:
            return self._evaluation_batch(data)
        if 'source' not in data:
            return TrainBatch(self._domain(data))
        return TrainBatch(self._domain(data['source']), self._domain(data['target']))

    def normalize(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) bytes -> normalised floats on the module's device."""
        images = self._to_device(images)
        if self.bgr_to_rgb:
            images = images.flip(1)
        return images.to(self.mean.dtype).sub_(self.mean).div_(self.std)

    def _to_device(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.mean.device, non_blocking=self.non_blocking)

    def _domain(self, data: Mapping[str, Any]) -> DomainBatch:
        batch = DomainBatch(images=self.normalize(data['image']), meta=data['meta'])
        if 'label' in data:
            batch.labels = self._to_device(data['label']).long()
        if 'valid' in data:
            batch.valid = self._to_device(data['valid']).bool()
        if 'depth' in data:
            batch.depth = self._to_device(data['depth'])
        if 'whole' in data:
            batch.whole = self.normalize(data['whole'])
        if 'soft_label' in data:
            batch.soft_labels = self._to_device(data['soft_label']).float()
        self._clear_padding(batch)
        return batch

    @staticmethod
    def _clear_padding(batch: DomainBatch) -> None:
        full = tuple(batch.images.shape[-2:])
        for index, meta in enumerate(batch.meta):
            height, width = meta['img_shape']
            if (height, width) == full:
                continue
            for values, padding in ((batch.images, 0), (batch.labels, 255), (batch.valid, False)):
                if values is not None:
                    values[index, ..., height:, :] = padding
                    values[index, ..., :, width:] = padding

    def _evaluation_batch(self, data: Mapping[str, Any]) -> dict[str, Any]:
        inputs = data['inputs']
        if isinstance(inputs[0], Tensor):
            batch: Tensor | list[Tensor] = self._stack(inputs)
        else:
            batch = [self._stack(images) for images in zip(*inputs, strict=True)]
        return {**data, 'inputs': batch}

    def _stack(self, images: Sequence[Tensor]) -> Tensor:
        shapes = {tuple(image.shape) for image in images}
        if len(shapes) > 1:
            raise ValueError(f'test images of one batch have sizes {sorted(shapes)}: test with batch_size=1')
        # Stacked on the device: a stack on the host would not lie in page-locked memory.
        moved = [self._to_device(image) for image in images]
        return self.normalize(moved[0][None] if len(moved) == 1 else torch.stack(moved))
