"""Synscapes through its converter: table, train-id map, names of the files, statistics."""

import contextlib
import io
import json
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from mmseg.datasets import label_tables
from mmseg.datasets.image_io import read_label
from tools.convert_datasets import gta, synscapes


def run(case):
    meta, arrays = case.meta, case.arrays
    np.testing.assert_array_equal(synscapes.TABLE, arrays['table'])
    if meta.get('gta_table_is_equal'):
        np.testing.assert_array_equal(synscapes.TABLE, gta.TABLE)
    written = next((key for key in meta if key.startswith('files_written_for_')), 'files_written_for_7_png')
    stem = written.removeprefix('files_written_for_').removesuffix('_png')
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root, 'img/class')
        folder.mkdir(parents=True)
        ids = case.inputs['map'].astype(np.uint8)
        # Ids beyond Cityscapes' are ignored by the original and refused by ours.
        ids[~np.isin(ids, list(label_tables.CITYSCAPES_KNOWN))] = 255
        Image.fromarray(ids).save(folder / f'{stem}.png')
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            assert synscapes.convert([root, '--nproc', '1', '--color']) == 0
        np.testing.assert_array_equal(read_label(str(folder / f'{stem}_gt_labelTrainIds.png')), arrays['converted'])
        if written in meta:
            assert sorted(path.name for path in folder.iterdir()) == sorted(meta[written])
        (stats,) = json.loads(Path(root, 'sample_class_stats.json').read_text())
        stats.pop('file')
        if 'sample_class_stats' in meta:
            assert stats == {key: value for key, value in meta['sample_class_stats'].items() if key != 'file'}
