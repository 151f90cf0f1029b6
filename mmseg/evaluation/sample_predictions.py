"""Predictions of a run for a few of its test images, spread over all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from mmseg.datasets.image_io import read_image
from mmseg.engine.config import load_config
from mmseg.engine.legacy_checkpoint import load_student
from mmseg.evaluation.config_options import loader_section
from mmseg.evaluation.evaluate import build_networks
from mmseg.evaluation.run_folder import find_checkpoint, find_config
from mmseg.registry import DATASETS

Pictures = list[np.ndarray]


def predict_samples(folder: Path, count: int) -> tuple[Pictures, Pictures, Pictures, dict[str, Any]]:
    """Images (RGB), label maps and predictions of a run's last iterate, and the data set's meta information.

    Args:
        folder: of the run.
        count: of images; fewer if there are no more.

    Raises:
        FileNotFoundError: no config, checkpoint or data.
    """
    cfg = load_config(find_config(folder))
    dataset = DATASETS.build(loader_section(cfg)['dataset'])
    preprocessor, model = build_networks(cfg)
    predictor: Any = model
    load_student(model, find_checkpoint(folder))
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    model.to(device).eval()
    preprocessor.to(device)
    pictures, truths, predictions = [], [], []
    for position in range(min(count, len(dataset))):
        sample = dataset[position * len(dataset) // min(count, len(dataset))]
        data = preprocessor({key: [value] for key, value in sample.items()}, False)
        with torch.inference_mode():
            result = predictor.predict(data['inputs'], data['data_samples'])[0]
        predictions.append(result.pred_sem_seg.data[0].cpu().numpy())
        truths.append(sample['data_samples'].gt_sem_seg.data[0].numpy())
        pictures.append(read_image(sample['data_samples'].img_path)[..., ::-1])
    return pictures, truths, predictions, dataset.metainfo
