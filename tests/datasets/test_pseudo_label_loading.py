import numpy as np
import pytest

from mmseg.datasets import CityscapesDataset
from mmseg.datasets.randomness import Draws
from mmseg.datasets.transforms import LoadPseudoLabels, Resize
from tests.datasets.tiny_data import save, write_cityscapes


@pytest.fixture
def record(tmp_path):
    save(tmp_path / 'a_leftImg8bit.png', np.array([[0, 1, 2], [250, 255, 18]], np.uint8))
    confidence = np.array([[0.9500, 0.9504, 0.9507], [1.0, 0.2, 1.0]])
    np.save(tmp_path / 'a_leftImg8bit_conf.npy', confidence.astype(np.float16))
    path = str(tmp_path / 'a_leftImg8bit.png')
    return {'seg_map_path': path, 'img_path': 'a.png', 'ori_shape': (2, 3), 'num_classes': 19}


def test_labels_are_taken_as_they_are(record):
    record['label_map'] = object()  # of the dataset's own label files, which these are not
    np.testing.assert_array_equal(LoadPseudoLabels()(record)['gt_seg_map'], [[0, 1, 2], [255, 255, 18]])
    assert not hasattr(record['label_map'], 'table')


def test_threshold_compares_in_half_precision(record):
    labels = LoadPseudoLabels(threshold=0.95)(record)['gt_seg_map']
    # 0.95 and 0.9504 are both 0.9502 there.
    np.testing.assert_array_equal(labels, [[255, 255, 2], [255, 255, 18]])


def test_mistakes(record, tmp_path):
    with pytest.raises(ValueError, match='threshold must lie in 0..1, got 95'):
        LoadPseudoLabels(threshold=95)
    file = tmp_path / 'a_leftImg8bit_conf.npy'
    np.save(file, np.zeros((3, 2), np.float16))
    with pytest.raises(
        ValueError, match=r'a_leftImg8bit_conf.npy holds \(3, 2\) confidences, its label map is \(2, 3\)'
    ):
        LoadPseudoLabels(threshold=0.9)(record)
    file.write_bytes(b'nothing')
    with pytest.raises(ValueError, match='_conf.npy cannot be read'):
        LoadPseudoLabels(threshold=0.9)(record)
    file.unlink()
    with pytest.raises(FileNotFoundError, match='the threshold needs .*_conf.npy, .*make_pseudo_labels .*--confidence'):
        LoadPseudoLabels(threshold=0.9)(record)


def test_labels_of_all_folders_in_one(tmp_path, caplog):
    """The originals' folder: no cities, only the images' names."""
    root = write_cityscapes(tmp_path / 'cityscapes')
    names = [f'aachen_{number:06d}_000019_leftImg8bit.png' for number in range(3)]
    for number, name in enumerate(names):
        save(tmp_path / 'labels' / name, np.full((32, 64), number, np.uint8))
    settings = {
        'img_suffix': '_leftImg8bit.png',
        'seg_map_suffix': '_leftImg8bit.png',
        'data_prefix': {'img_path': f'{root}/leftImg8bit/train', 'seg_map_path': str(tmp_path / 'labels')},
        'pipeline': [{'type': 'LoadImageFromFile'}, {'type': 'LoadPseudoLabels'}, {'type': 'PackTrainInputs'}],
    }
    dataset = CityscapesDataset(**settings)
    assert dataset.label_names == names
    found = [int(dataset.sample(index, Draws(np.random.default_rng(0)))['label'][0, 0]) for index in range(3)]
    assert found == [0, 1, 2]
    (tmp_path / 'labels' / names[1]).unlink()
    with pytest.raises(FileNotFoundError, match=f'looked for aachen/{names[0]}'):
        CityscapesDataset(**settings)


def test_width_is_drawn_and_the_height_follows():
    """PBAL's rescale: width = int(2200 u), height = int(width / aspect), whatever the scale's own height is."""
    resize = Resize((2200, 1), keep_ratio='width', ratio_range=(0.5, 1.5), backend='pillow')
    generator = np.random.default_rng(0)
    widths = [resize.draw_scale(generator)[0] for _ in range(300)]
    assert min(widths) >= 1100 and max(widths) <= 3300 and len(set(widths)) > 200
    image = np.zeros((105, 191, 3), np.uint8)
    for width in (110, 219, 330):
        out = resize({'img': image, 'draws': Draws(generator, {'scale': [(width, 7)]})})
        assert out['img'].shape[:2] == (int(width / (191 / 105)), width) == out['img_shape']
    with pytest.raises(ValueError, match="keep_ratio is True, False or 'width', got 'height'"):
        Resize((2200, 1), keep_ratio='height')
