"""Files of a dataset, as statistics files name them."""

import pytest

from mmseg.datasets.file_lookup import FileLookup, listed_files


def test_lookup_by_path_or_unique_name():
    lookup = FileLookup(['a/1_l.png', 'b/1_l.png', 'b/2_l.png'])
    assert lookup('data/x/labels/b/1_l.png') == 1
    assert lookup('data\\x\\a\\1_l.png') == 0
    assert lookup('1_l.png') is None and lookup('c/2_l.png') is None
    assert FileLookup(['a/1_l.png', 'b/2_l.png'])('elsewhere/2_l.png') == 1


def test_of_equal_names_that_in_the_folder_of_the_dataset_counts():
    paths = [f'data/farm/labels/{split}/{number}.png' for split in ('train', 'val') for number in (1, 2, 1)]
    names = ['1.png', '2.png', '3.png']
    found = listed_files(paths, names, '/home/me/data/farm/labels/val', 'stats.json')
    assert found == {'data/farm/labels/val/1.png': 0, 'data/farm/labels/val/2.png': 1}
    # Spelled relative to another folder: the name alone has to do.
    assert listed_files(['2.png', 'x.png'], names, 'labels/val', 'stats.json') == {'2.png': 1}


def test_two_that_fit_alike_are_named():
    with pytest.raises(ValueError, match=r'stats.json: a/1.png and b/1.png may both be 1.png in elsewhere/c'):
        listed_files(['a/1.png', 'b/1.png'], ['1.png'], 'elsewhere/c', 'stats.json')
