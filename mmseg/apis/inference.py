"""Predicting images with a loaded network."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from mmengine.config import Config
from torch import nn

from mmseg.apis.images import ImageLike, as_bgr
from mmseg.datasets.randomness import Draws, sample_generator
from mmseg.datasets.transforms import Compose
from mmseg.evaluation.config_options import evaluated_configs
from mmseg.structures import SegDataSample

Key = TypeVar('Key', bound=Hashable)

# Steps that the images handed in make needless.
LOADING = ('LoadImageFromFile', 'LoadAnnotations')


def inference_model(
    model: nn.Module,
    images: ImageLike | Sequence[ImageLike],
    *,
    batch_size: int = 1,
    probabilities: bool = False,
) -> SegDataSample | list[SegDataSample]:
    """Predict images the way the config's test pipeline and ``test_cfg`` say.

    Args:
        model: of :func:`mmseg.apis.init_model`.
        images: path, array (BGR, as OpenCV gives it) or Pillow image; or a list of such.
        batch_size: images of equal size that are predicted together.
        probabilities: also give ``seg_logits``: class probabilities (C, H, W), float32, which sum to 1.

    Returns:
        For each image a sample, on the CPU, with ``pred_sem_seg.data`` (1, H, W), the class ids at the image's own
        size, and ``img_path``, ``ori_shape``, ... in its ``metainfo``; a list for a list.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: an image is broken or of a form that is not known.
    """
    if batch_size < 1:
        raise ValueError(f'batch_size is {batch_size}, expected at least 1')
    if not isinstance(images, (list, tuple)):
        return inference_model(model, [images], probabilities=probabilities)[0]
    results: list[Any] = [None] * len(images)
    pictures = ((number, as_bgr(image)) for number, image in enumerate(images))
    for number, _, result in predict_stream(model, pictures, batch_size, probabilities):
        if isinstance(images[number], (str, os.PathLike)):
            result.set_metainfo({'img_path': os.fspath(images[number])})
        results[number] = result
    return results


def predict_stream(
    model: nn.Module, pictures: Iterable[tuple[Key, np.ndarray]], batch_size: int = 1, probabilities: bool = False
) -> Iterator[tuple[Key, np.ndarray, SegDataSample]]:
    """Predict many images without holding them all; those of equal size share batches.

    Args:
        model: of :func:`mmseg.apis.init_model`.
        pictures: a key and the image (H, W, 3) BGR uint8.
        batch_size: images per batch.
        probabilities: see :func:`inference_model`.

    Yields:
        Key, image and result. In the order of ``pictures`` if all have one size; else an image may wait until enough
        others of its size have come.
    """
    pipeline = array_pipeline(model.cfg)
    waiting: dict[tuple[int, ...], list[tuple[Key, np.ndarray]]] = {}

    def predicted(group: list[tuple[Key, np.ndarray]]) -> Iterator[tuple[Key, np.ndarray, SegDataSample]]:
        results = _predict_batch(model, pipeline, [image for _, image in group], probabilities)
        yield from ((key, image, result) for (key, image), result in zip(group, results, strict=True))

    for key, image in pictures:
        group = waiting.setdefault(image.shape, [])
        group.append((key, image))
        # Many sizes must not fill the memory with images that wait for others of their size.
        if len(group) < batch_size and sum(map(len, waiting.values())) >= 4 * batch_size:
            group = max(waiting.values(), key=len)
        elif len(group) < batch_size:
            continue
        yield from predicted(waiting.pop(group[0][1].shape))
    for group in waiting.values():
        yield from predicted(group)


def array_pipeline(cfg: Config) -> Compose:
    """The config's test pipeline, for images that are already arrays.

    Raises:
        ValueError: it does not end with ``PackSegInputs``.
    """
    steps = [step for step in evaluated_configs(cfg)[0]['pipeline'] if step['type'] not in LOADING]
    if not steps or steps[-1]['type'] != 'PackSegInputs':
        raise ValueError('the test pipeline of the config must end with PackSegInputs')
    return Compose([dict(step) for step in steps])


def _predict_batch(
    model: nn.Module, pipeline: Compose, images: Sequence[np.ndarray], probabilities: bool
) -> list[SegDataSample]:
    packed = [pipeline(_record(image)) for image in images]
    data = {key: [sample[key] for sample in packed] for key in packed[0]}
    with torch.no_grad():
        batch = model.data_preprocessor(data, False)
        samples = model.predict(batch['inputs'], batch['data_samples'], probabilities=probabilities)
    return [sample.cpu() for sample in samples]


def _record(image: np.ndarray) -> dict[str, Any]:
    """What the pipeline starts from. Test pipelines draw nothing as a rule; if one does, it draws the same always."""
    size = image.shape[:2]
    return {'img': image, 'img_shape': size, 'ori_shape': size, 'draws': Draws(sample_generator(0, 0))}
