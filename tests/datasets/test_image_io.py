import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from mmseg.datasets.image_io import read_16_bit_colour, read_image, read_label, write_label
from tests.datasets.tiny_data import picture, save


@pytest.fixture
def rgb():
    return picture(6, 9)


def test_colour_image_becomes_bgr(tmp_path, rgb):
    np.testing.assert_array_equal(read_image(save(tmp_path / 'a.png', rgb)), rgb[..., ::-1])


def test_palette_image_shows_its_colours(tmp_path):
    image = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8))
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.save(tmp_path / 'a.png')
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]])
    np.testing.assert_array_equal(read_image(str(tmp_path / 'a.png'))[..., ::-1], colours[[[0, 1], [2, 1]]])


def test_grey_rgba_16_bit_and_jpeg(tmp_path, rgb):
    grey = rgb[..., 0]
    np.testing.assert_array_equal(read_image(save(tmp_path / 'grey.png', grey)), grey[..., None].repeat(3, 2))
    rgba = np.concatenate([rgb, grey[..., None]], 2)
    np.testing.assert_array_equal(read_image(save(tmp_path / 'rgba.png', rgba)), rgb[..., ::-1])
    cv2.imwrite(str(tmp_path / 'deep.png'), rgb.astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_image(str(tmp_path / 'deep.png')), rgb)
    smooth = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    jpeg = read_image(save(tmp_path / 'a.jpg', smooth))
    assert jpeg.dtype == np.uint8 and np.abs(jpeg.astype(int) - smooth[..., ::-1]).max() <= 3


@pytest.mark.parametrize('reader', [read_image, read_label, read_16_bit_colour])
def test_unreadable_files_are_named(tmp_path, reader):
    save(tmp_path / 'whole.png', picture(60, 90))
    content = (tmp_path / 'whole.png').read_bytes()
    for name, broken in {'text.png': b'hello', 'empty.png': b'', 'cut.png': content[: len(content) // 2]}.items():
        (tmp_path / name).write_bytes(broken)
        with pytest.raises(ValueError, match=name) as error:
            reader(str(tmp_path / name))
        assert '\n' not in str(error.value)
    with pytest.raises(FileNotFoundError, match='absent.png'):
        reader(str(tmp_path / 'absent.png'))


def test_label_of_a_palette_file_is_its_indices(tmp_path):
    indices = np.array([[0, 33], [7, 255]], np.uint8)
    image = Image.fromarray(indices)
    image.putpalette(list(range(255, -1, -1)) * 3)
    image.save(tmp_path / 'a.png')
    np.testing.assert_array_equal(read_label(str(tmp_path / 'a.png')), indices)


def test_label_of_16_bits_must_fit(tmp_path):
    path = save(tmp_path / 'a.png', np.array([[0, 255]], np.uint16))
    np.testing.assert_array_equal(read_label(path), np.array([[0, 255]], np.uint8))
    with pytest.raises(ValueError, match='300'):
        read_label(save(tmp_path / 'b.png', np.array([[0, 300]], np.uint16)))


def test_label_must_not_be_a_colour_picture(tmp_path, rgb):
    with pytest.raises(ValueError, match='a.png is a colour picture'):
        read_label(save(tmp_path / 'a.png', rgb))


def test_synthia_reader_keeps_16_bits(tmp_path):
    stored = np.zeros((2, 3, 3), np.uint16)
    stored[..., 2], stored[..., 1] = 21, 4000
    cv2.imwrite(str(tmp_path / 'a.png'), stored)
    np.testing.assert_array_equal(read_16_bit_colour(str(tmp_path / 'a.png')), stored)
    with pytest.raises(ValueError, match='one channel'):
        read_16_bit_colour(save(tmp_path / 'b.png', np.zeros((2, 2), np.uint8)))


def test_cut_jpeg_that_opencv_takes_for_whole(tmp_path, monkeypatch):
    save(tmp_path / 'whole.jpg', picture(60, 90))
    content = (tmp_path / 'whole.jpg').read_bytes()
    (tmp_path / 'cut.jpg').write_bytes(content[: len(content) // 2])
    (tmp_path / 'longer.jpg').write_bytes(content + b'a trailer of some camera')
    monkeypatch.setattr(cv2, 'imdecode', lambda *_: np.zeros((60, 90, 3), np.uint8))
    with pytest.raises(ValueError, match='cut.jpg cannot be read'):
        read_image(str(tmp_path / 'cut.jpg'))
    assert read_image(str(tmp_path / 'longer.jpg')).shape == (60, 90, 3)


def test_image_wider_than_opencv_reads(tmp_path):
    path = save(tmp_path / 'wide.bmp', np.zeros((1, 2**20 + 1), np.uint8))
    with pytest.raises(ValueError, match='wide.bmp cannot be read'):
        read_image(path)


def test_label_files_hold_the_ids_unfiltered(tmp_path):
    label = np.repeat(np.repeat(np.array([[0, 18], [255, 7]], np.uint8), 40, 0), 30, 1)
    path = tmp_path / 'a.png'
    write_label(str(path), label)
    np.testing.assert_array_equal(read_label(str(path)), label)
    assert [file.name for file in tmp_path.iterdir()] == ['a.png']
    if hasattr(cv2, 'IMWRITE_PNG_FILTER'):
        content = path.read_bytes()
        start = content.index(b'IDAT')
        rows = zlib.decompress(content[start + 4 : start + 4 + int.from_bytes(content[start - 4 : start], 'big')])
        assert set(rows[:: label.shape[1] + 1]) == {0}  # every row's filter type


def write_grey(path, ids, bits):
    """A grey PNG of few bits per pixel, which Pillow does not write."""
    digits = ((ids[..., None] >> np.arange(bits - 1, -1, -1)) & 1).astype(np.uint8).reshape(len(ids), -1)
    rows = b''.join(b'\0' + row.tobytes() for row in np.packbits(digits, axis=1))
    header = struct.pack('>IIBBBBB', ids.shape[1], len(ids), bits, 0, 0, 0, 0)
    parts = [(b'IHDR', header), (b'IDAT', zlib.compress(rows)), (b'IEND', b'')]
    chunks = [struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
              for kind, data in parts]  # fmt: skip
    path.write_bytes(b'\x89PNG\r\n\x1a\n' + b''.join(chunks))


@pytest.mark.parametrize('bits', [1, 2, 4, 8])
def test_grey_labels_of_few_bits_are_the_ids_in_the_file(tmp_path, bits):
    ids = np.arange(7 * 5).reshape(5, 7) % min(2**bits, 19)
    write_grey(tmp_path / 'a.png', ids, bits)
    label = read_label(str(tmp_path / 'a.png'))
    assert label.dtype == np.uint8
    np.testing.assert_array_equal(label, ids)


def test_palette_labels_of_few_bits(tmp_path):
    image = Image.fromarray(np.array([[0, 1, 3], [2, 2, 0]], np.uint8))
    image.putpalette([0, 0, 0, 85, 85, 85, 170, 170, 170, 255, 255, 255])
    image.save(tmp_path / 'a.png', bits=2)
    assert (tmp_path / 'a.png').read_bytes()[24] == 2
    np.testing.assert_array_equal(read_label(str(tmp_path / 'a.png')), [[0, 1, 3], [2, 2, 0]])
