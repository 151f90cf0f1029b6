"""Label files through the converters: train-id maps, output names, pixels per class.

Where several label ids make one class (Mapillary), the originals' statistics count only the last of these ids that
occurs; ours count them all.
"""

import json
import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mmseg.datasets import label_tables as ours
from mmseg.datasets.conversion import OUTPUT_SUFFIX, Task, class_counts, convert_file, to_train_ids
from mmseg.datasets.image_io import read_16_bit_colour, read_label
from tools.convert_datasets import cityscapes

ITEMS = {
    'gta': ('gta', ours.GTA_TO_TRAIN),
    'syn': ('synthia', ours.SYNTHIA_TO_TRAIN),
    'map': ('mapillary', ours.MAPILLARY_V12_TO_TRAIN),
}


def read_with(to_train, read_ids):
    """A reader for the recorded inputs, which hold ids that no dataset defines (the converters refuse them)."""
    table = ours.lookup_table(to_train)
    return lambda path: to_train_ids(read_ids(path), table, range(256), path)


def run(case):
    items = case.meta['items']
    with tempfile.TemporaryDirectory() as folder:
        for key, (name, to_train) in ITEMS.items():
            if key in items:
                check_label_image(case, key, case.inputs[name], to_train, Path(folder))
        if 'cityscapes' in items:
            check_polygons(case, Path(folder))


def check_label_image(case, key, ids, to_train, folder):
    item = case.meta['items'][key]
    assert item['output_suffix'] == OUTPUT_SUFFIX
    output = folder / item['example_output_name']
    source = folder / output.name.replace(OUTPUT_SUFFIX, '.png')
    if key == 'syn':
        picture = np.zeros((*ids.shape, 3), np.uint16)
        picture[..., 2] = ids
        picture[..., 1] = 300  # an instance id beyond 8 bits
        cv2.imwrite(str(source), picture)
        reader = read_with(to_train, lambda path: read_16_bit_colour(path)[..., 2])
    else:
        Image.fromarray(ids.astype(np.uint8)).save(source)
        reader = read_with(to_train, read_label)
    outcome = convert_file(Task(str(source), str(output)), reader)
    assert outcome.error is None, outcome.error
    np.testing.assert_array_equal(read_label(str(output)), case.arrays[key], err_msg=key)
    last_counts = {train_id: int((ids == label_id).sum()) for label_id, train_id in to_train.items() if label_id in ids}
    assert outcome.stats == class_counts(case.arrays[key].astype(np.uint8))
    check_stats({train_id: last_counts[train_id] for train_id in outcome.stats}, item)


def check_polygons(case, folder):
    item = case.meta['items']['cityscapes']
    source = folder / f'a{cityscapes.POLYGONS}'
    source.write_text(json.dumps(item['polygons']))
    label = cityscapes.read_train_ids(str(source))
    np.testing.assert_array_equal(label, case.arrays['cityscapes'])
    check_stats(class_counts(label), item)


def check_stats(stats, item):
    recorded = {int(train_id): pixels for train_id, pixels in item['stats'].items()}
    assert stats == recorded
    if 'stats_key_order' in item:
        assert [str(train_id) for train_id in stats] == item['stats_key_order']
