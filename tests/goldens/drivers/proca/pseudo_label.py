"""Thresholds of the classes and the written labels."""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from mmseg.engine.class_thresholds import ClassThresholds, hard_labels
from mmseg.models.resize import resize
from mmseg.visualization import save_palette_png

CLOSE = 1e-5


def run(case):
    meta, options = case.meta, case.meta['options']
    measured = ClassThresholds(options['num_classes'], options['THRESHOLD_PERCENT'], options['cap'])
    logits = [case.tensor(f'logits{i}') for i in range(meta['inputs']['n'])]
    for each in logits:
        measured.add(resize(each, meta['inputs']['threshold_size'], options['align_corners']).softmax(dim=1))
    thresholds = measured.thresholds()
    np.testing.assert_allclose(thresholds, case.arrays['thresholds'], rtol=meta['rtol'])
    for i, each in enumerate(logits):
        probabilities = resize(each, meta['inputs']['label_size'], options['align_corners']).softmax(dim=1)
        labels = written(hard_labels(probabilities, thresholds)[0].numpy(), meta['png_mode'])
        first, second = probabilities.topk(2, dim=1).values[0]
        chosen = thresholds[probabilities.argmax(dim=1)[0]]
        near = ((first - chosen).abs() < CLOSE) | (first - second < CLOSE)
        assert not ((labels != case.arrays[f'label{i}']) & ~near.numpy()).any()


def written(labels, mode):
    """Labels as they are read from the file that they are written to."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'label.png'
        save_palette_png(labels, [[index, 0, 0] for index in range(19)], path)
        with Image.open(path) as image:
            assert image.mode == mode
            return np.asarray(image)
