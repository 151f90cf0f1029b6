"""Files that are no weights are named as what they are."""

import pytest
import torch

from mmseg.engine.pretrained.files import read_tensors
from tests.engine.pretrained_layouts import write_old_tar


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'', 'is empty'),
        (b'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n', 'git lfs pull'),
        (b'<!DOCTYPE html><html><body>Google Drive: quota exceeded</body></html>', 'is a web page'),
        (b'\n<!doctype html>', 'is a web page'),
        (b'<html>', 'is a web page'),
        (b'\x40\x00\x00\x00\x00\x00\x00\x00{"a": {"dtype": "F32", "sha', r'cannot be read \(.*download it again'),
        (b'something else altogether', 'not a checkpoint of PyTorch'),
    ],
)
def test_files_that_are_no_weights(content, message, tmp_path):
    (tmp_path / 'weights.pth').write_bytes(content)
    with pytest.raises(ValueError, match=rf'weights.pth: .*{message}') as info:
        read_tensors(tmp_path / 'weights.pth')
    assert '\n' not in str(info.value)


def test_checkpoints_without_tensors(tmp_path):
    torch.save({'state_dict': {}, 'epoch': 3}, tmp_path / 'empty.pth')
    with pytest.raises(ValueError, match='empty.pth: holds no weights'):
        read_tensors(tmp_path / 'empty.pth')


def test_files_of_old_pytorch(tmp_path):
    torch.save({'a': torch.ones(2)}, tmp_path / 'old.pth', _use_new_zipfile_serialization=False)
    assert read_tensors(tmp_path / 'old.pth')[0].keys() == {'a'}


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.pth: no such file'):
        read_tensors(tmp_path / 'none.pth')


@pytest.mark.parametrize(
    ('file', 'command'),
    [
        ('resnet101-5d3b4d8f.pth', r'python tools/get_pretrained.py resnet101$'),
        ('resnet50-19c8e357.pth', r'python tools/get_pretrained.py resnet50$'),
        ('renamed.pth', r'get_pretrained.py NAME --from \S*renamed.pth --trust-checkpoint; .* resnet101 \(or 18'),
    ],
)
def test_the_oldest_files_say_how_to_get_them_anew(file, command, tmp_path):
    write_old_tar(tmp_path / file, {'a': torch.ones(2)})
    with pytest.raises(ValueError, match=rf"{file}: is in PyTorch's old tar format.*{command}") as info:
        read_tensors(tmp_path / file)
    assert '\n' not in str(info.value)
    assert read_tensors(tmp_path / file, trust=True)[0]['a'].tolist() == [1, 1]


def test_files_that_need_pickle_name_the_command_that_converts_them(tmp_path):
    torch.save({'a': torch.ones(2), 'args': Exception('other object')}, tmp_path / 'w.pth')
    with pytest.raises(ValueError, match=r'w.pth: holds Python objects .* NAME --from \S*w.pth --trust-checkpoint$'):
        read_tensors(tmp_path / 'w.pth')
    assert read_tensors(tmp_path / 'w.pth', trust=True)[0].keys() == {'a'}
