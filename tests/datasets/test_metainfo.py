import pytest

from mmseg.datasets.metainfo import complete_metainfo, dataset_metainfo


def test_names_without_files():
    cityscapes = {'type': 'CityscapesDataset', 'data_root': 'nowhere'}
    assert dataset_metainfo(cityscapes)['classes'][0] == 'road'
    pair = {'type': 'UDADataset', 'source': {'type': 'GTADataset'}, 'target': {'type': 'CamVidDataset'}}
    assert dataset_metainfo(pair)['classes'][0] == 'Sky'
    assert dataset_metainfo({**cityscapes, 'metainfo': 'CamVidDataset'})['palette'][3] == [128, 64, 128]


def test_new_names_do_not_keep_the_old_colours():
    metainfo = dataset_metainfo({'type': 'CityscapesDataset', 'metainfo': {'classes': ['a', 'b']}})
    assert metainfo['classes'] == ('a', 'b')
    assert len(metainfo['palette']) == 2


@pytest.mark.parametrize(
    ('own', 'given', 'message'),
    [
        ({}, None, 'needs its class names'),
        ({}, 'NoDataset', "there is no dataset 'NoDataset'"),
        ({}, {'classes': ('a', 'b'), 'palette': [[0, 0, 0]]}, '2 classes, but 1 colours'),
        ({}, {'classes': tuple(map(str, range(256)))}, 'at most 255'),
    ],
)
def test_messages(own, given, message):
    with pytest.raises(ValueError, match=message):
        complete_metainfo(own, given, 'Mine')


def test_unknown_type():
    with pytest.raises(ValueError, match="there is no dataset 'Mine'"):
        dataset_metainfo({'type': 'Mine'})
