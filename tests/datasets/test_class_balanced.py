import pickle

import numpy as np
import pytest

from mmseg.datasets.class_balanced import ClassBalancedDataset, ClassBalancedSampling, class_weights
from mmseg.registry import DATASETS
from tests.datasets.tiny_data import cityscapes_config, gta_config, write_cityscapes, write_gta


@pytest.fixture
def root(tmp_path):
    return write_gta(tmp_path / 'gta', count=6)


def test_rare_classes_weigh_more():
    weights = class_weights(np.array([0, 1, 99]))
    assert weights.sum() == pytest.approx(1) and weights[0] > weights[1] > weights[2]
    np.testing.assert_allclose(weights * np.log(1.01 + np.array([0, 0.01, 0.99])), weights[0] * np.log(1.01))
    np.testing.assert_allclose(class_weights(np.zeros(4, int)), 0.25)


def test_sequence_follows_from_the_seed_alone(root):
    dataset = DATASETS.build(gta_config(root))
    sampling = ClassBalancedSampling(dataset)
    whole = [sampling.index(number, 5) for number in range(50)]
    resumed = pickle.loads(pickle.dumps(sampling))
    assert [resumed.index(number, 5) for number in (40, 3, 49)] == [whole[number] for number in (40, 3, 49)]
    assert [sampling.index(number, 6) for number in range(50)] != whole
    assert set(whole) == set(range(6))


def test_presence_is_that_of_the_label_files(root):
    dataset = DATASETS.build(gta_config(root))
    sampling = ClassBalancedSampling(dataset)
    from mmseg.datasets.image_io import read_label

    for index, name in enumerate(dataset.label_names):
        held = set(np.unique(read_label(f'{dataset.seg_map_dir}/{name}'))) - {255}
        assert set(np.flatnonzero(sampling.presence[index])) == held


def test_as_dataset_and_in_a_pair(root, tmp_path):
    alone = ClassBalancedDataset(gta_config(root))
    alone.set_seed(3)
    expected = [alone.sampling.index(number, 3) for number in range(4)]
    names = [alone[number]['meta']['img_path'] for number in range(4)]
    assert names == [f'{alone.dataset.img_dir}/{alone.dataset.img_names[index]}' for index in expected]
    pairs = DATASETS.build(
        {
            'type': 'UDADataset',
            'source': gta_config(root),
            'target': cityscapes_config(write_cityscapes(tmp_path / 'cs')),
            'class_balanced_sampling': {},
        }
    )
    pairs.set_seed(3)
    assert [pairs[number]['source']['meta']['img_path'] for number in range(4)] == names


def test_statistics_of_the_original(root, tmp_path):
    dataset = DATASETS.build(gta_config(root))
    lists = [[] for _ in range(19)]
    lists[2], lists[7] = ['00001.png', '00004.png'], ['00004.png', '09999.png']
    path = tmp_path / 'gtav_label_info.p'
    path.write_bytes(pickle.dumps((lists, {'00001.png': [2]})))
    presence = ClassBalancedSampling(dataset, str(path)).presence
    assert presence.sum() == 3 and presence[0, 2] and presence[3, [2, 7]].all()
    path.write_bytes(pickle.dumps((np.zeros(3), {})))
    with pytest.raises(ValueError, match='gtav_label_info.p: not a label_info file'):
        ClassBalancedSampling(dataset, str(path))
    with pytest.raises(FileNotFoundError, match='nowhere.p does not exist'):
        ClassBalancedSampling(dataset, str(tmp_path / 'nowhere.p'))


def test_missing_statistics_and_two_samplings(root, tmp_path):
    pair = {'type': 'UDADataset', 'source': gta_config(root), 'target': gta_config(root)}
    with pytest.raises(ValueError, match='exclude each other'):
        DATASETS.build({**pair, 'class_balanced_sampling': {}, 'rare_class_sampling': {'min_pixels': 1}})
    (tmp_path / 'gta' / 'samples_with_class.json').unlink()
    with pytest.raises(FileNotFoundError, match=r'samples_with_class.json.*tools/convert_datasets/gta.py'):
        ClassBalancedSampling(DATASETS.build(gta_config(root)))


def test_statistics_of_more_classes(root, tmp_path):
    dataset = DATASETS.build(gta_config(root))
    lists = [[] for _ in range(23)]
    lists[2] = ['00001.png']
    path = tmp_path / 'label_info.p'
    path.write_bytes(pickle.dumps((lists, {})))
    assert ClassBalancedSampling(dataset, str(path)).presence.sum() == 1
    lists[21] = ['00004.png']
    path.write_bytes(pickle.dumps((lists, {})))
    with pytest.raises(ValueError, match=r'label_info.p lists classes \[21\], the dataset has 19'):
        ClassBalancedSampling(dataset, str(path))


def test_files_that_are_no_statistics(root, tmp_path):
    dataset = DATASETS.build(gta_config(root))
    path = tmp_path / 'label_info.p'
    # A string of pickle's that is no UTF-8, and what looks like one.
    for content in (b'X\x02\0\0\0\xff\xfe.', b'Iabc\n.', b'hello', b'\xff\xfe', pickle.dumps([[1]])):
        path.write_bytes(content)
        with pytest.raises(ValueError, match='label_info.p: not a label_info file of the original'):
            ClassBalancedSampling(dataset, str(path))
    (tmp_path / 'gta/samples_with_class.json').write_bytes(b'{"0": "\xff"}')
    with pytest.raises(ValueError, match=r'samples_with_class.json is broken .*delete it and run'):
        ClassBalancedSampling(dataset)
