import numpy as np
import pytest
from PIL import Image

from mmseg.apis import inference_model, init_model, show_result
from mmseg.apis.drawing import Drawing
from mmseg.visualization import colorize, overlay
from tests.datasets.tiny_data import picture
from tests.tools import tiny_run

PALETTE = tiny_run.PALETTE


@pytest.fixture(scope='module')
def predicted(tmp_path_factory):
    folder = tmp_path_factory.mktemp('show')
    model = init_model(tiny_run.make_run(folder / 'tiny', folder / 'data'), device='cpu')
    image = picture(40, 60)
    return model, image, inference_model(model, image)


def test_picture_is_the_overlay_with_a_legend_and_is_written(predicted, tmp_path):
    model, image, result = predicted
    label = result.pred_sem_seg.data[0].numpy()
    expected = overlay(image[..., ::-1], label, PALETTE, 0.3)
    plain = show_result(model, image, result, tmp_path / 'new' / 'a.png', opacity=0.3, legend=None)
    np.testing.assert_array_equal(plain, expected)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / 'new' / 'a.png')), plain)
    below = show_result(model, image, result, opacity=0.3)
    np.testing.assert_array_equal(below[:40, :60], expected)
    assert below.shape[0] > 40
    beside = show_result(model, image, result, tmp_path / 'a.jpg', opacity=0.3, legend='right')
    np.testing.assert_array_equal(beside[:40, :60], expected)
    assert beside.shape[1] > 60
    with Image.open(tmp_path / 'a.jpg') as stored:
        assert (stored.format, stored.size) == ('JPEG', beside.shape[1::-1])


def test_wrong_use(predicted, tmp_path):
    model, image, result = predicted
    for options, message in (
        ({'legend': 'top'}, "legend 'top': there are auto, right, bottom"),
        ({'opacity': 2}, 'opacity is 2'),
        ({'out_file': tmp_path / 'a.gif'}, r'a.gif: pictures are written as .png, .jpg'),
    ):
        with pytest.raises(ValueError, match=message):
            show_result(model, image, result, **options)
    with pytest.raises(ValueError, match='cannot be laid over'):
        show_result(model, image[:20], result)


def test_kinds_of_pictures():
    image, label = picture(10, 30), np.arange(300).reshape(10, 30) % 3
    drawing = Drawing(tiny_run.CLASSES, PALETTE)
    np.testing.assert_array_equal(drawing.draw('colour', image, label), colorize(label, PALETTE))
    both = drawing.draw('side-by-side', image, label)
    np.testing.assert_array_equal(both[:, :30], image)
    np.testing.assert_array_equal(both[:, -30:], overlay(image, label, PALETTE))
    assert (both[:, 30:-30] == 255).all()
    with pytest.raises(ValueError, match="no such kind of picture: 'color'; there are overlay, colour"):
        drawing.draw('color', image, label)


def test_whole_legends_make_pictures_of_one_size():
    image = picture(30, 50)
    whole = Drawing(tiny_run.CLASSES, PALETTE, legend='auto', whole_legend=True)
    sizes = {whole.draw('overlay', image, np.full((30, 50), number)).shape for number in range(3)}
    assert len(sizes) == 1
    few = Drawing(tiny_run.CLASSES, PALETTE, legend='auto').draw('overlay', image, np.zeros((30, 50), int))
    assert few.shape not in sizes
