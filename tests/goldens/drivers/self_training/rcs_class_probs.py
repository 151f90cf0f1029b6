"""Rare class sampling: class order and probabilities, candidate files, re-drawing of crops."""

from pathlib import Path

import numpy as np

from mmseg.datasets import rare_class_sampling as ours
from mmseg.datasets.file_lookup import FileLookup


def run(case):
    meta = case.meta
    for i, temperature in enumerate(meta['temperatures']):
        classes, probabilities = ours.class_probabilities(meta['sample_class_stats'], float(temperature))
        assert classes == meta['class_order']
        np.testing.assert_allclose(probabilities, case.arrays[f'probs{i}'], rtol=1e-4, atol=1e-30)

    seg_maps = meta['source_seg_maps']
    lookup = FileLookup(seg_maps)
    for path, index in meta['file_to_index'].items():
        assert lookup(path) == index
    for class_id, names in meta['candidates'].items():
        indices = ours.candidate_indices(meta['samples_with_class'][class_id], lookup, meta['min_pixels'])
        ours_names = [Path(seg_maps[index]).name for index in indices]
        assert ours_names == [Path(name).name for name in names], class_id
    check_retry(meta['retry'])


def check_retry(retry):
    enough = retry['min_pixels'] * retry['min_crop_ratio']
    for item in retry['cases']:
        pixels = item['pixels_of_the_class_in_successive_crops']
        drawn = []

        def draw(pixels=pixels, drawn=drawn):
            drawn.append(pixels[len(drawn)])
            return drawn[-1]

        kept = ours.redraw_until(draw, lambda count: count > enough)
        assert (kept, len(drawn)) == (item['kept'], item['draws_made'])
