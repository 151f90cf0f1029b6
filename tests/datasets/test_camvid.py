import numpy as np
import pytest

from mmseg.datasets import CamVidDataset
from mmseg.datasets.rare_class_sampling import FileStatistics
from tests.datasets.tiny_data import picture, save
from tools import dataset_statistics

FRAMES = {
    'train': ['0001TP_006690', '0006R0_f00930', '0016E5_00390'],
    'val': ['0016E5_07959'],
    'test': ['0001TP_008550', 'Seq05VD_f00000'],
}
LOAD = [{'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations'}]


@pytest.fixture
def root(tmp_path):
    for folder, names in FRAMES.items():
        for number, name in enumerate(names):
            save(tmp_path / folder / f'{name}.{"jpg" if number else "png"}', picture(6, 8))
            label = np.full((6, 8), number, np.uint8)
            label[0] = 11
            save(tmp_path / f'{folder}annot' / f'{name}.png', label)
    return str(tmp_path)


def stems(dataset):
    return [name.rpartition('.')[0] for name in dataset.img_names]


def test_all_frames(root):
    dataset = CamVidDataset(root, pipeline=LOAD)
    assert sorted(stems(dataset)) == sorted(f'{folder}/{name}' for folder in FRAMES for name in FRAMES[folder])
    assert dataset.label_names[0] == 'testannot/0001TP_008550.png'


@pytest.mark.parametrize(
    ('sequences', 'expected'),
    [
        ('train/0001TP', ['train/0001TP_006690']),
        (['0001TP'], ['test/0001TP_008550', 'train/0001TP_006690']),
        (['0016E5', 'test/Seq05VD'], ['test/Seq05VD_f00000', 'train/0016E5_00390', 'val/0016E5_07959']),
    ],
)
def test_sequences(root, sequences, expected):
    assert stems(CamVidDataset(root, sequences=sequences, pipeline=LOAD)) == expected


def test_void_is_ignored(root):
    label = CamVidDataset(root, sequences='0006R0', pipeline=LOAD, test_mode=True)[0]['gt_seg_map']
    assert set(label[0]) == {255} and set(label[1]) == {1}


def test_messages(root, tmp_path):
    with pytest.raises(FileNotFoundError, match='no images of sequence val/0001TP'):
        CamVidDataset(root, sequences=['0006R0', 'val/0001TP'])
    (tmp_path / 'trainannot/0006R0_f00930.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'1 of 6 images have no label map, e\.g\. train/0006R0_f00930\.jpg'):
        CamVidDataset(root, pipeline=LOAD)
    CamVidDataset(root, sequences='0001TP', pipeline=LOAD)


def test_missing_statistics_are_made_by_the_command_that_the_message_names(root):
    dataset = CamVidDataset(root, sequences='0001TP', pipeline=LOAD)
    with pytest.raises(
        FileNotFoundError, match=f'run python tools/dataset_statistics.py {root} --dataset CamVid'
    ) as error:
        FileStatistics(dataset)
    command = str(error.value).partition('run python tools/dataset_statistics.py ')[2].split()
    dataset_statistics.main([*command, '--nproc', '1'])
    assert len(FileStatistics(dataset).counts) == 2


def test_pseudo_labels_lie_in_folders_of_the_frames(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp('pseudo')
    for name in FRAMES['train']:
        save(folder / 'train' / f'{name}.png', np.full((6, 8), 7, np.uint8))
    where = {'data_prefix': {'img_path': root, 'seg_map_path': str(folder)}, 'label_folder': ''}
    steps = [{'type': 'LoadImageFromFile'}, {'type': 'LoadPseudoLabels'}]
    dataset = CamVidDataset('', sequences='train/0001TP', pipeline=steps, test_mode=True, **where)
    assert dataset.label_names == ['train/0001TP_006690.png'] and set(dataset[0]['gt_seg_map'].flat) == {7}
    with pytest.raises(FileNotFoundError, match=r'test/0001TP_008550.png in .*make_pseudo_labels'):
        CamVidDataset('', sequences='0001TP', pipeline=steps, **where)
