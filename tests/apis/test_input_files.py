import os

import pytest

from mmseg.apis.input_files import find_inputs


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ('in/a.jpg', 'in/a.PNG', 'in/b.png', 'in/sub/a.jpg', 'in/drive.mp4', 'in/README.md', 'in/.hidden.png',
                 'other/b.png', 'out/old.png', 'lone.xyz', 'in/we[i]rd.png'):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def names(*inputs):
    return {str(file.path): file.name for file in find_inputs(inputs, 'out')}


def test_folder_with_sub_folders(here):
    assert names('in') == {
        'in/a.PNG': 'a_PNG',
        'in/a.jpg': 'a_jpg',
        'in/b.png': 'b',
        'in/drive.mp4': 'drive',
        'in/sub/a.jpg': 'sub/a',
        'in/we[i]rd.png': 'we[i]rd',
    }
    assert [file.path.name for file in find_inputs(['in'], 'out') if file.is_video] == ['drive.mp4']


def test_named_files_are_taken_whatever_their_suffix(here):
    assert names('lone.xyz', 'in/we[i]rd.png') == {'lone.xyz': 'lone', 'in/we[i]rd.png': 'we[i]rd'}


def test_equal_names_from_several_folders(here):
    assert names('in/b.png', 'other') == {'in/b.png': 'in/b_png', 'other/b.png': 'other/b_png'}


def test_names_are_unique_even_if_one_looks_like_a_changed_one(here):
    (here / 'in/a_jpg.png').touch()
    found = names('in')
    assert len(set(found.values())) == len(found) == 7
    os.makedirs('x/in')
    (here / 'x/in/b.png').touch()
    assert len(set(names('in/b.png', 'x/in/b.png', 'other/b.png').values())) == 3


def test_each_file_once(here):
    os.symlink('b.png', 'in/link.png')
    assert list(names('in/b.png', 'in/../in/b.png', str(here / 'in/b.png'), 'in/link.png')) == ['in/b.png']


def test_patterns(here):
    assert names('in/*.png') == {'in/b.png': 'b', 'in/we[i]rd.png': 'we[i]rd'}
    assert names('in/**/a.jpg') == {'in/a.jpg': 'a', 'in/sub/a.jpg': 'sub/a'}
    assert set(names('i?/su[b]').values()) == {'in/sub/a'}


def test_results_of_an_earlier_run_are_no_inputs(here):
    assert 'out/old.png' not in names('.')
    assert names('out/old.png') == {'out/old.png': 'old'}


@pytest.mark.parametrize(
    ('given', 'message'),
    [('no.png', 'no.png: no such file or folder'), ('in/*.gif', r'in/\*.gif: no images'), ('out', 'out: no images')],
)
def test_nothing_there(here, given, message):
    with pytest.raises(FileNotFoundError, match=message):
        find_inputs([given], 'out')
