import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from mmseg.apis import inference_model, init_model
from mmseg.apis.images import as_bgr
from mmseg.apis.inference import predict_stream
from mmseg.evaluation import config_options
from mmseg.registry import DATASETS
from tests.datasets.tiny_data import picture, save
from tests.tools import tiny_run


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp('apis')
    return tiny_run.make_run(folder / 'tiny', folder / 'data')


@pytest.fixture
def model(run):
    return init_model(run, device='cpu')


def labels(result):
    return result.pred_sem_seg.data[0].numpy()


@pytest.mark.parametrize('mode', ['whole', 'slide', 'tta'])
def test_prediction_is_that_of_the_test_tool(run, mode):
    """The same as the data set's samples through preprocessor and network."""
    cfg = tiny_run.config(run.parent / 'data')
    if mode == 'slide':
        config_options.set_inference_mode(cfg, 'slide')
    if mode == 'tta':
        config_options.set_tta(cfg)
    model = init_model(cfg, run, 'cpu')
    dataset = DATASETS.build(cfg.test_dataloader['dataset'])
    paths = [sample['data_samples'].img_path for sample in dataset]
    for sample, result in zip(dataset, inference_model(model, paths, batch_size=2), strict=True):
        data = model.data_preprocessor({key: [value] for key, value in sample.items()}, False)
        expected = model.predict(data['inputs'], data['data_samples'])[0]
        np.testing.assert_array_equal(labels(result), labels(expected))
        assert result.img_path == sample['data_samples'].img_path
        assert result.ori_shape == tiny_run.SIZE


def test_path_array_and_pillow_image_are_one(model, tmp_path):
    rgb = picture(31, 45)
    path = save(tmp_path / 'a.png', rgb)
    single = inference_model(model, path)
    assert single.img_path == path
    for same in (rgb[..., ::-1], Image.fromarray(rgb), Image.open(path), tmp_path / 'a.png'):
        np.testing.assert_array_equal(labels(inference_model(model, same)), labels(single))
    assert len(np.unique(labels(single))) > 1
    assert isinstance(inference_model(model, [path]), list)


@pytest.mark.parametrize('size', [(1, 1), (1, 90), (70, 1), (7, 13), (33, 21), (60, 90)])
def test_any_size(model, size):
    result = inference_model(model, picture(*size))
    assert labels(result).shape == size == result.ori_shape
    assert labels(result).dtype == np.uint8


def test_list_of_many_sizes_keeps_its_order(model):
    sizes = [(20, 30), (10, 12), (20, 30), (31, 7), (10, 12), (20, 30), (5, 5), (20, 30)]
    images = [picture(*size, seed=i) for i, size in enumerate(sizes)]
    for batch_size in (1, 2, 3, 9):
        for image, result in zip(images, inference_model(model, images, batch_size=batch_size), strict=True):
            np.testing.assert_array_equal(labels(result), labels(inference_model(model, image)))


def test_equal_sizes_are_predicted_together_and_few_images_wait(model):
    seen = []
    model.backbone.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    list(predict_stream(model, enumerate(picture(8, 8, seed=i) for i in range(5)), batch_size=2))
    assert seen == [2, 2, 1]
    read = []

    def pictures():
        for number in range(40):
            read.append(number)
            yield number, picture(8 + number, 8)

    for done, _ in enumerate(predict_stream(model, pictures(), batch_size=4)):
        assert len(read) - done <= 16


def test_probabilities(model):
    image = picture(30, 41)
    result = inference_model(model, image, probabilities=True)
    scores = result.seg_logits.data
    assert scores.shape == (3, 30, 41)
    torch.testing.assert_close(scores.sum(0), torch.ones(30, 41))
    np.testing.assert_array_equal(scores.argmax(0).numpy(), labels(inference_model(model, image)))
    assert 'seg_logits' not in inference_model(model, image)


@pytest.mark.parametrize('flip', [False, True])
def test_large_images_are_predicted_in_bands_to_the_same(model, flip, monkeypatch):
    model.inference_options = type(model.inference_options)(flip_tta=flip)
    image = picture(61, 90)
    expected = labels(inference_model(model, image))
    monkeypatch.setattr('mmseg.models.segmentors.full_size.BAND', 1000)
    in_bands = labels(inference_model(model, image))
    assert (in_bands == expected).mean() > 0.999


def test_arrays_of_all_kinds_become_bgr():
    grey = picture(4, 5)[..., 0]
    three = grey[..., None].repeat(3, 2)
    for same in (grey, grey[..., None], grey.astype(np.uint16) * 257, three, np.dstack([three, grey])):
        np.testing.assert_array_equal(as_bgr(same), three)


@pytest.mark.parametrize('mode', ['L', 'P', 'RGBA', 'LA', 'CMYK', 'YCbCr', '1'])
def test_pillow_images_of_all_modes(mode):
    image = Image.fromarray(picture(6, 7)).convert(mode)
    np.testing.assert_array_equal(as_bgr(image), np.asarray(image.convert('RGB'))[..., ::-1])


def test_files_of_all_modes_are_read_alike_as_files_and_as_pillow_images(tmp_path):
    rgb = cv2.GaussianBlur(picture(24, 32), (7, 7), 0)
    image = Image.fromarray(rgb)
    exif = Image.Exif()
    exif[0x0112] = 6
    image.convert('CMYK').save(tmp_path / 'cmyk.jpg')
    image.quantize(16).save(tmp_path / 'palette.png', transparency=3)
    image.convert('LA').save(tmp_path / 'la.png')
    image.save(tmp_path / 'turned.jpg', exif=exif)
    Image.fromarray(rgb[..., 0].astype(np.uint16) * 200).save(tmp_path / 'deep.png')
    for path in tmp_path.iterdir():
        as_file, as_image = as_bgr(path), as_bgr(Image.open(path))
        assert as_file.shape == ((32, 24, 3) if path.stem == 'turned' else (24, 32, 3))
        assert np.abs(as_file.astype(int) - as_image).max() <= 1, path.name


def test_upright_by_exif(tmp_path):
    """Orientation 6 is stored lying on its left side: the top row is the last column of what was photographed."""
    upright = np.zeros((16, 32, 3), np.uint8)
    upright[:, 16:] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(upright).rotate(90, expand=True).save(tmp_path / 'a.jpg', exif=exif)
    np.testing.assert_allclose(as_bgr(tmp_path / 'a.jpg'), upright, atol=3)


@pytest.mark.parametrize(
    ('image', 'message'),
    [
        (np.zeros((3, 4, 5, 6), np.uint8), r'shape \(3, 4, 5, 6\): expected \(H, W\)'),
        (np.zeros((3, 20, 30), np.uint8), r'shape \(3, 20, 30\): expected'),
        (np.zeros((0, 4, 3), np.uint8), r'shape \(0, 4, 3\)'),
        (np.zeros((4, 4, 3), np.float32), 'type float32: expected uint8'),
        (Image.new('F', (3, 3)), 'mode F'),
    ],
)
def test_what_is_no_image(model, image, message):
    with pytest.raises(ValueError, match=message):
        inference_model(model, image)


def test_other_wrong_use(model, tmp_path):
    with pytest.raises(TypeError, match='NoneType is no image'):
        inference_model(model, None)
    with pytest.raises(FileNotFoundError, match='no.png does not exist'):
        inference_model(model, tmp_path / 'no.png')
    with pytest.raises(ValueError, match='batch_size is 0'):
        inference_model(model, [], batch_size=0)
    model.cfg.test_dataloader.dataset.pipeline = [{'type': 'LoadImageFromFile'}]
    with pytest.raises(ValueError, match='must end with PackSegInputs'):
        inference_model(model, picture(3, 3))
