"""Label id -> train id tables."""

import numpy as np

from mmseg.datasets import label_tables as ours

TABLES = {
    'gta_id_to_trainid': ours.GTA_TO_TRAIN,
    'synthia_id_to_trainid': ours.SYNTHIA_TO_TRAIN,
    'mapillary_v12_id_to_trainid': ours.MAPILLARY_V12_TO_TRAIN,
    'cityscapes_id_to_trainid': ours.CITYSCAPES_TO_TRAIN,
}


def run(case):
    for name, recorded in case.arrays.items():
        np.testing.assert_array_equal(ours.lookup_table(TABLES[name])[case.inputs['ids']], recorded, err_msg=name)
    names = {int(label_id): name for label_id, name in case.meta['cityscapes_names'].items()}
    assert {label_id: name for name, label_id in ours.CITYSCAPES_NAMES.items()} == names
    submission = {int(key): value for key, value in case.meta['cityscapes_trainid_to_id_for_submission'].items()}
    assert submission == {**ours.TRAIN_TO_CITYSCAPES, 255: 0, -1: -1}
