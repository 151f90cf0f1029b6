import json
from collections import Counter

import cv2
import numpy as np
import pytest
import torch

from mmseg.models.uda.components.depth_bank import DepthBank, bank_paths, class_depth_histogram, read_counts
from tests.models.uda.components.bank_files import write_bank


@pytest.mark.parametrize('fraction', [0, 0.7])
def test_histogram_counts_pixels(fraction):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 7, (2, 9, 11), generator=generator)  # 5 and 6 are none of the 5 classes
    labels[0, 0] = 255
    depth = torch.randint(0, 256, labels.shape, generator=generator) + fraction
    counts = class_depth_histogram(labels, depth, 5)
    for image in range(2):
        seen = Counter(zip(labels[image].flatten().tolist(), depth[image].flatten().tolist(), strict=True))
        expected = torch.zeros(5, 256, dtype=torch.int64)
        for (label, level), number in seen.items():
            if label < 5:
                expected[label, int(level)] = number
        assert torch.equal(counts[image], expected)
    with pytest.raises(ValueError, match='depth of'):
        class_depth_histogram(labels, depth[:, 1:], 5)


def test_a_bank_is_read_as_it_was_written(tmp_path):
    counts, images, labels = write_bank(tmp_path / 'bank')
    bank = DepthBank(bank_paths(tmp_path / 'bank'))
    assert torch.equal(bank.check(5).long(), counts)
    assert bank.crop_size == (32, 48)
    image, label = bank.read(2)
    np.testing.assert_array_equal(image.permute(1, 2, 0).numpy(), images[2])
    np.testing.assert_array_equal(label.numpy(), labels[2])


def test_counts_of_the_original_are_floats(tmp_path):
    counts = torch.randint(0, 9, (4, 5, 256)).float()
    torch.save(counts, tmp_path / 'a.pth')
    assert torch.equal(read_counts(tmp_path / 'a.pth'), counts.int())


def test_single_parts_win_over_the_folder(tmp_path):
    write_bank(tmp_path / 'bank')
    paths = bank_paths(tmp_path / 'bank', counts=tmp_path / 'other.pth', labels=tmp_path / 'other')
    assert paths.counts == tmp_path / 'other.pth'
    assert paths.images == tmp_path / 'bank/images'
    assert paths.labels == tmp_path / 'other'
    assert bank_paths(None, 'a.pth', 'b', 'c').images.name == 'b'
    with pytest.raises(ValueError, match='bank=FOLDER, or counts, images and labels'):
        bank_paths(None, 'a.pth', 'b')


def test_counts_are_those_of_the_description(tmp_path):
    write_bank(tmp_path, name='old')
    write_bank(tmp_path / 'more', name='new')
    (tmp_path / 'more/new_3_distribution.pth').rename(tmp_path / 'new_3_distribution.pth')
    with pytest.raises(ValueError, match='2 files of counts .new_3.*old_3'):
        bank_paths(tmp_path)
    (tmp_path / 'bank.json').write_text(json.dumps({'counts': 'old_3_distribution.pth'}))
    assert bank_paths(tmp_path).counts.name == 'old_3_distribution.pth'


def spoil(folder, what):
    if what == 'no folder':
        folder.rename(folder.with_name('elsewhere'))
    elif what == 'no counts':
        (folder / 'toy_3_distribution.pth').unlink()
    elif what == 'other counts':
        (folder / 'bank.json').write_text(json.dumps({'counts': 'toy_9_distribution.pth'}))
    elif what == 'text':
        (folder / 'toy_3_distribution.pth').write_text('counts')
    elif what == 'shape':
        torch.save(torch.zeros(3, 5, 100), folder / 'toy_3_distribution.pth')
    elif what == 'fractions':
        torch.save(torch.full((3, 5, 256), 0.5), folder / 'toy_3_distribution.pth')
    elif what == 'classes':
        torch.save(torch.zeros(3, 19, 256, dtype=torch.int32), folder / 'toy_3_distribution.pth')
    elif what == 'crop':
        (folder / 'images/1.png').unlink()
    elif what == 'labels':
        (folder / 'labels').rename(folder / 'labelz')
    elif what == 'broken crop':
        (folder / 'images/0.png').write_text('no picture')
    elif what == 'text in the middle':
        (folder / 'labels/1.png').write_text('no picture, although it has the length of one')
    elif what == 'cut short':
        whole = (folder / 'images/2.png').read_bytes()
        (folder / 'images/2.png').write_bytes(whole[: len(whole) // 2])
    elif what == 'another size':
        for number in (1, 2):
            cv2.imwrite(str(folder / f'labels/{number}.png'), np.zeros((8, 16), np.uint8))
    elif what == 'colours':
        cv2.imwrite(str(folder / 'labels/0.png'), np.zeros((32, 48, 3), np.uint8))
    elif what == 'sizes':
        cv2.imwrite(str(folder / 'labels/0.png'), np.zeros((8, 8), np.uint8))
    elif what == 'description':
        (folder / 'bank.json').write_text(json.dumps({'crop_size': [512, 512]}))
    elif what == 'not JSON':
        (folder / 'bank.json').write_text('{')


@pytest.mark.parametrize(
    ('what', 'error', 'message'),
    [
        ('no folder', FileNotFoundError, 'no folder .*bank; make it with python run_seg.py'),
        ('no counts', FileNotFoundError, 'has no .*_distribution.pth; repeat the run_seg.py command .* or count'),
        ('other counts', FileNotFoundError, 'bank.json names toy_9_distribution.pth, which is not there; repeat'),
        ('text', ValueError, 'toy_3_distribution.pth: not a tensor of counts'),
        ('shape', ValueError, r'crops x classes x 256 depths, this is \(3, 5, 100\)'),
        ('fractions', ValueError, 'whole numbers'),
        ('classes', ValueError, 'counts of 19 classes, the network has 5'),
        ('crop', FileNotFoundError, '1 of 3 crops are missing, the first is 1.png'),
        ('labels', FileNotFoundError, 'no folder of source crops .*labels'),
        ('broken crop', ValueError, '0.png: not a picture'),
        ('text in the middle', ValueError, '1.png: not a PNG file; 1 of 3 crops .* delete them, the same run_seg.py'),
        ('cut short', ValueError, '2.png: cut short; 1 of 3'),
        ('another size', ValueError, '1.png: 8x16 pixels, the first crop has 32x48; 2 of 3'),
        ('colours', ValueError, 'labels are one channel of bytes'),
        ('sizes', ValueError, r'labels of \(8, 8\), the picture has \(32, 48\)'),
        ('description', ValueError, r'says crop_size \[512, 512\], but the bank has \[32, 48\]'),
        ('not JSON', ValueError, 'bank.json: not JSON'),
    ],
)
def test_what_is_wrong_with_a_bank_is_said_in_a_line(tmp_path, what, error, message):
    folder = tmp_path / 'bank'
    write_bank(folder)
    spoil(folder, what)
    with pytest.raises(error, match=message) as raised:
        DepthBank(bank_paths(folder)).check(5)
    assert '\n' not in str(raised.value)


def test_more_crops_than_counts_are_fine(tmp_path):
    write_bank(tmp_path, number=5)
    torch.save(read_counts(tmp_path / 'toy_5_distribution.pth')[:3], tmp_path / 'toy_5_distribution.pth')
    assert len(DepthBank(bank_paths(tmp_path)).check(5)) == 3
