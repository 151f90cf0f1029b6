"""Tables of label ids for 19 and 16 classes, class names, and where files lie."""

import numpy as np

from mmseg.datasets import CityscapesDataset, GTADataset, SynthiaDataset, label_tables
from mmseg.datasets.classes import CITYSCAPES_METAINFO, SYNTHIA_CLASSES, SYNTHIA_LABEL_MAP
from mmseg.datasets.label_map import LabelMap

SPELLED = {'light': 'traffic light', 'sign': 'traffic sign', 'motocycle': 'motorcycle'}


def run(case):
    names = CITYSCAPES_METAINFO['classes']
    for count, ours in {'19': names, '16': SYNTHIA_CLASSES}.items():
        theirs = [SPELLED.get(name, name) for name in case.meta['class_names'][count]]
        assert list(ours) == theirs
    to_16 = LabelMap(SYNTHIA_LABEL_MAP, names, SYNTHIA_CLASSES).table
    cityscapes = label_tables.lookup_table(label_tables.CITYSCAPES_TO_TRAIN)
    synthia = label_tables.lookup_table(label_tables.SYNTHIA_TO_TRAIN)
    # The original does not know SYNTHIA's ids of classes that its images do not have.
    absent = [16, 18, 20]
    ours = {
        'gta': label_tables.lookup_table(label_tables.GTA_TO_TRAIN),
        'city19': cityscapes,
        'city16': to_16[cityscapes],
        'synthia': to_16[synthia],
    }
    for name, table in ours.items():
        np.testing.assert_array_equal(table, case.arrays[name], err_msg=name)
    assert (ours['synthia'][absent] == label_tables.IGNORE).all()
    back = case.arrays['synthia_to_city19']
    for index, name in enumerate(SYNTHIA_CLASSES):
        assert back[index] == names.index(name)
    for dataset in (GTADataset, SynthiaDataset, CityscapesDataset):
        assert dataset.METAINFO['classes'] == names
