"""The baseline that evaluation is measured against, as code bases of this field had it.

One window at a time, softmax of full-size scores, which go to the host as they are; argmax and counting in NumPy, image
by image; files written before the next image is predicted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mmseg.evaluation.prediction_files import write_ids
from mmseg.models.segmentors.views import test_time_views


def predict_plainly(
    model: Any, preprocessor: Any, batches: Iterable[dict[str, Any]], classes: int, folder: str | None = None
) -> np.ndarray:
    """Pixel counts (C, C), true classes in rows, of all images of the batches.

    Args:
        model: segmentor in eval mode on its device.
        preprocessor: normalises on the same device.
        batches: of one test sample each, with label maps.
        classes: C.
        folder: where train ids are written; None = nowhere.
    """
    model.inference_options = replace(model.inference_options, batched_slide=False, batch_pixels=1)
    counts = np.zeros((classes, classes), np.int64)
    for data in batches:
        batch = preprocessor(data, False)
        images = batch['inputs'] if isinstance(batch['inputs'], list) else [batch['inputs']]
        sample = batch['data_samples'][0]
        with torch.inference_mode():
            views = test_time_views(images, model.inference_options)
            scores = [model.inference(view.shown(), sample.ori_shape, view.flip).cpu().numpy() for view in views]
        prediction = np.mean(scores, 0).argmax(1)[0] if len(scores) > 1 else scores[0].argmax(1)[0]
        label = sample.gt_sem_seg.data[0].numpy()
        counted = label != 255
        cells = label[counted].astype(np.int64) * classes + prediction[counted]
        counts += np.bincount(cells, minlength=classes**2).reshape(classes, classes)
        if folder is not None:
            names = [str(number) for number in range(classes)]
            write_ids(prediction, Path(sample.img_path).name, folder, names, to_label_id=False)
    return counts
