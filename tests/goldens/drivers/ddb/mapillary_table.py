"""Mapillary's class names -> ids of Cityscapes' classes, both kinds, and a converted label map."""

import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from mmseg.datasets.conversion import Task, convert_file
from mmseg.datasets.image_io import read_label
from mmseg.datasets.mapillary_labels import mapillary_table
from tools.convert_datasets.mapillary2cityscape import read_ids


def run(case):
    names, arrays = case.meta['names'], case.arrays
    tables = {'to_train_id': mapillary_table(names), 'to_label_id': mapillary_table(names, train_ids=False)}
    for name, table in tables.items():
        np.testing.assert_array_equal(table[: len(names)], arrays[name], err_msg=name)
        assert (table[len(names) :] == 255).all()
    with tempfile.TemporaryDirectory() as folder:
        task = Task(f'{folder}/in.png', f'{folder}/out.png')
        Image.fromarray(case.inputs['map'].astype(np.uint8)).save(task.source)
        # A recorded map may hold ids that the names do not reach; the converter refuses such files.
        outcome = convert_file(task, partial(read_ids, table=tables['to_train_id'], classes=256))
        assert outcome.error is None and Path(task.output).is_file()
        np.testing.assert_array_equal(read_label(task.output), arrays['converted'])
