"""Rare class sampling: class order and probabilities, candidate files, re-drawing of crops."""

import json
import tempfile
from pathlib import Path

import numpy as np

from mmseg.datasets import rare_class_sampling as ours


def run(case):
    meta = case.meta
    for i, temperature in enumerate(meta['temperatures']):
        classes, probabilities = ours.class_probabilities(meta['sample_class_stats'], float(temperature))
        assert classes == meta['class_order']
        np.testing.assert_allclose(probabilities, case.arrays[f'probs{i}'], rtol=1e-4, atol=1e-30)

    seg_maps = meta['source_seg_maps']
    lookup = ours.FileLookup(seg_maps)
    for path, index in meta['file_to_index'].items():
        assert lookup(path) == index
    with tempfile.TemporaryDirectory() as folder:
        sampling = built_sampling(Path(folder), meta)
    assert sampling.classes == meta['class_order']
    for class_id, names in meta['candidates'].items():
        ours_names = [Path(seg_maps[index]).name for index in sampling.candidates[int(class_id)]]
        assert ours_names == [Path(name).name for name in names], class_id
    check_retry(meta['retry'])


class Source:
    """What sampling asks of a dataset."""

    label_converter = None

    def __init__(self, folder, label_names, num_classes):
        self.data_root = self.seg_map_dir = str(folder)
        self.label_names = label_names
        self.num_classes = num_classes
        self.metainfo = {'classes': [str(i) for i in range(num_classes)]}

    def __len__(self):
        return len(self.label_names)


def built_sampling(folder, meta):
    for name, key in ((ours.CLASS_STATS_FILE, 'sample_class_stats'), (ours.CLASS_FILES_FILE, 'samples_with_class')):
        (folder / name).write_text(json.dumps(meta[key]))
    source = Source(folder, meta['source_seg_maps'], max(meta['class_order']) + 1)
    return ours.RareClassSampling(source, min_pixels=meta['min_pixels'])


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
