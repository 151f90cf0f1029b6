import json

import numpy as np
import pytest

from mmseg.datasets import GTADataset, RareClassSampling, UDADataset
from mmseg.datasets.label_map import LabelMap
from mmseg.registry import DATASETS
from tests.datasets.tiny_data import gta_config, save, train_ids, train_pipeline, write_gta

NAMES = ('road', 'sky', 'car')
CLASSES = ('Flat', 'Vehicle')


def test_names_ids_and_ignore():
    by_name = LabelMap({'road': 'Flat', 'sky': None, 'car': 'Vehicle'}, NAMES, CLASSES)
    by_id = LabelMap({0: 0, '1': 255, 2: 1}, NAMES, CLASSES)
    for label_map in (by_name, by_id):
        assert label_map.table[:4].tolist() == [0, 255, 1, 255]
        assert label_map.known.nonzero()[0].tolist() == [0, 1, 2, 255]


def test_others_stands_for_everything_not_listed():
    label_map = LabelMap({'car': 'Vehicle', 'others': 'Flat'}, NAMES, CLASSES)
    assert label_map.table[[0, 1, 2, 77, 255]].tolist() == [0, 0, 1, 0, 255]


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        ({'road': 'Flat', 'car': 'Vehicle'}, "what becomes of 'sky'"),
        ({'rode': 'Flat'}, "no class 'rode' in the files, which have 'road', 'sky', 'car'"),
        ({'road': 'Vehicles', 'others': None}, "no class 'Vehicles' in the classes after mapping"),
        ({0: 2, 'others': None}, 'there is no class 2, only 2 classes'),
        ({300: 0, 'others': None}, 'id 300 of the files is not between 0 and 255'),
    ],
)
def test_messages(given, message):
    with pytest.raises(ValueError, match=message):
        LabelMap(given, NAMES, CLASSES)


def test_names_need_class_names_of_the_files():
    with pytest.raises(ValueError, match='use ids'):
        LabelMap({'road': 0}, (), CLASSES)


MERGE = {'road': 'Flat', 'sidewalk': 'Flat', 'car': 'Vehicle', 'truck': 'Vehicle', 'others': None}


def merged_gta(root, **kwargs):
    return gta_config(root, metainfo={'classes': CLASSES}, label_map=MERGE, **kwargs)


def test_a_dataset_with_merged_classes(tmp_path):
    root = write_gta(tmp_path, count=2)
    pipeline = [{'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations'}]
    dataset = DATASETS.build(merged_gta(root, pipeline=pipeline, test_mode=True))
    assert dataset.metainfo['classes'] == CLASSES
    expected = np.full(256, 255, np.uint8)
    expected[[0, 1]], expected[[13, 14]] = 0, 1
    np.testing.assert_array_equal(dataset[0]['gt_seg_map'], expected[train_ids(40, 60, seed=1)])


def test_an_id_that_the_map_does_not_mention(tmp_path):
    root = write_gta(tmp_path, count=1)
    every_class = dict.fromkeys(GTADataset.METAINFO['classes'], 'Flat')
    label = train_ids(40, 60, seed=1)
    label[0, 0] = 33
    save(tmp_path / 'labels/00001_labelTrainIds.png', label)
    dataset = DATASETS.build(gta_config(root, metainfo={'classes': CLASSES}, label_map=every_class))
    with pytest.raises(ValueError, match='holds ids 33, which label_map does not mention'):
        dataset[0]


def test_rare_class_sampling_counts_merged_classes(tmp_path):
    root = write_gta(tmp_path, count=3)
    dataset = DATASETS.build(merged_gta(root))
    sampling = RareClassSampling(dataset, min_pixels=1)
    stats = json.loads((tmp_path / 'sample_class_stats.json').read_text())
    pixels = [sum(one.get(str(i), 0) for one in stats for i in ids) for ids in ((0, 1), (13, 14))]
    assert sampling.classes == sorted((0, 1), key=lambda c: pixels[c])
    files_of_both = [i for i, one in enumerate(stats) if one.get('13', 0) + one.get('14', 0) > 1]
    assert sorted(sampling.candidates[1]) == files_of_both
    # A file counts with the pixels of both classes together.
    largest = max(one.get('13', 0) + one.get('14', 0) for one in stats)
    assert len(RareClassSampling(dataset, min_pixels=largest - 1).candidates[1]) >= 1


def test_domains_meet_in_the_classes_of_a_named_dataset(tmp_path):
    root = write_gta(tmp_path / 'gta', count=2)
    save(tmp_path / 'camvid/train/0001TP_1.png', np.zeros((40, 60, 3), np.uint8))
    to_camvid = {'road': 'Road', 'car': 'Car', 'others': None}
    pair = UDADataset(
        source=gta_config(root, metainfo='CamVidDataset', label_map=to_camvid),
        target={
            'type': 'CamVidDataset',
            'data_root': str(tmp_path / 'camvid'),
            'pipeline': train_pipeline(labels=False),
        },
    )
    assert len(pair.metainfo['classes']) == 11
    labels = set(np.unique(pair[0]['source']['label'].numpy()).tolist())
    assert labels <= {3, 8, 255} and labels & {3, 8}
