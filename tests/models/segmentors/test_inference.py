"""Prediction: windows, mirrored images, scales, original sizes."""

import pytest
import torch
import torch.nn.functional as F

from mmseg.models.resize import resize
from mmseg.models.segmentors import smaller_batches
from mmseg.models.segmentors.views import mirror
from mmseg.structures import SegDataSample
from tests.models.segmentors.small_networks import CLASSES, build, build_pointwise, fcn, images

SLIDE = {'mode': 'slide', 'crop_size': (16, 20), 'stride': (8, 12)}


def samples(*shapes):
    return [SegDataSample(metainfo={'ori_shape': shape}) for shape in shapes]


def predicted(network, x, *shapes):
    return torch.cat([sample.pred_sem_seg.data for sample in network.predict(x, samples(*shapes))])


@pytest.mark.parametrize('batched', [False, True])
@pytest.mark.parametrize('ori_shape', [None, (50, 70)])
def test_slide_equals_whole_where_pixels_do_not_see_each_other(batched, ori_shape):
    x = images(2, 3, 27, 41)
    whole = build_pointwise().inference(x, ori_shape)
    slide = build_pointwise(test_cfg={**SLIDE, 'batched_slide': batched}).inference(x, ori_shape)
    assert slide.shape == (2, CLASSES, *(ori_shape or (27, 41)))
    torch.testing.assert_close(slide, whole)


def test_slide_differs_from_whole_where_pixels_see_their_neighbours():
    x = images(1, 3, 27, 41)
    assert not torch.allclose(build(test_cfg=SLIDE).inference(x), build().inference(x))


def test_batched_slide_equals_slide_for_any_batch_size():
    x = images(2, 3, 27, 41)
    one = build(test_cfg={**SLIDE, 'batched_slide': False})
    counts = []
    for pixels in (1, 2 * 16 * 20 * 3, 10**6):
        batched = build(test_cfg={**SLIDE, 'batched_slide': True, 'batch_pixels': pixels})
        batched.backbone.register_forward_pre_hook(lambda module, arguments: counts.append(len(arguments[0])))
        torch.testing.assert_close(one.inference_logits(x), batched.inference_logits(x))
    assert counts == [2] * 9 + [6] * 3 + [18]


def test_windows_in_smaller_batches_where_memory_runs_out(monkeypatch):
    """A device that holds no more than 5 windows at once."""
    x = images(1, 3, 27, 41)
    pixels = 9 * 16 * 20
    network = build(test_cfg={**SLIDE, 'batch_pixels': pixels})
    expected, counts = predicted(network, x, (27, 41)), []

    def full(module, arguments):
        counts.append(len(arguments[0]))
        if len(arguments[0]) > 5:
            raise torch.OutOfMemoryError('full')

    network.backbone.register_forward_pre_hook(full)
    with pytest.raises(torch.OutOfMemoryError):
        predicted(network, x, (27, 41))
    counts.clear()
    monkeypatch.setattr(smaller_batches, 'SMALLEST', 1)
    with pytest.warns(UserWarning, match=f'test_cfg.batch_pixels={pixels // 2} '):
        assert torch.equal(predicted(network, x, (27, 41)), expected)
    assert counts == [9, 3, 3, 3]
    counts.clear()
    predicted(network, x, (27, 41))
    assert counts == [3, 3, 3]


def test_one_window_as_large_as_the_image_equals_whole():
    x = images(1, 3, 24, 32)
    slide = build(test_cfg={'mode': 'slide', 'crop_size': (99, 99), 'stride': (9, 9)})
    torch.testing.assert_close(slide.inference(x), build().inference(x))


def test_logits_are_resized_to_the_input_first_then_to_the_original_size():
    network = build()
    x = images(1, 3, 24, 32)
    logits = F.interpolate(network(x).logits['main'], size=(24, 32), mode='bilinear')
    expected = F.interpolate(logits, size=(31, 57), mode='bilinear').softmax(dim=1)
    torch.testing.assert_close(network.inference(x, (31, 57)), expected)
    torch.testing.assert_close(network.inference(x, (31, 57), rescale=False), logits.softmax(dim=1))


@pytest.mark.parametrize('direction', ['horizontal', 'vertical'])
def test_mirrored_images_give_the_same_probabilities_mirrored_back(direction):
    x = images(2, 3, 12, 20)
    network = build_pointwise()
    assert not torch.equal(mirror(x, direction), x)
    torch.testing.assert_close(network.inference(mirror(x, direction), flip=direction), network.inference(x))


def test_mirroring_swaps_the_named_sides():
    x = torch.arange(4.0).reshape(1, 1, 2, 2)
    assert mirror(x, 'horizontal').flatten().tolist() == [1, 0, 3, 2]
    assert mirror(x, 'vertical').flatten().tolist() == [2, 3, 0, 1]
    with pytest.raises(ValueError, match="unknown flip direction 'diagonal'; known: horizontal, vertical"):
        mirror(x, 'diagonal')


def test_probabilities_of_16_bit_networks_have_32_bits():
    network = build().to(torch.bfloat16)
    assert network.inference(images(1, 3, 16, 16).bfloat16()).dtype == torch.float32


class TestPredict:
    def test_writes_byte_labels_of_the_original_size(self):
        network = build()
        x = images(2, 3, 24, 32)
        given = samples((48, 60), (48, 60))
        result = network.predict(x, given)
        assert [a is b for a, b in zip(result, given, strict=True)] == [True, True]
        expected = network.inference(x, (48, 60)).argmax(dim=1)
        for i, sample in enumerate(result):
            assert sample.pred_sem_seg.data.dtype == torch.uint8
            assert sample.pred_sem_seg.data.shape == (1, 48, 60)
            assert torch.equal(sample.pred_sem_seg.data[0].long(), expected[i])

    def test_without_original_size_the_input_counts(self):
        sample = build().predict(images(1, 3, 24, 32), [SegDataSample()])[0]
        assert sample.pred_sem_seg.data.shape == (1, 24, 32)

    def test_average_over_mirrored_images(self):
        x = images(1, 3, 24, 32)
        network, flipping = build(), build(test_cfg={'flip_tta': True})
        mean = (network.inference(x) + network.inference(mirror(x, 'horizontal'), flip='horizontal')) / 2
        labels = predicted(flipping, x, (24, 32))
        assert torch.equal(labels.long(), mean.argmax(dim=1))
        assert not torch.equal(labels, predicted(network, x, (24, 32)))

    def test_average_does_not_change_a_pixelwise_network(self):
        x = images(1, 3, 24, 32)
        plain = predicted(build_pointwise(), x, (24, 32))
        assert torch.equal(predicted(build_pointwise(test_cfg={'flip_tta': True}), [x, x], (24, 32)), plain)

    def test_average_of_probabilities_over_scales(self):
        network = build()
        scales = [images(1, 3, *size) for size in [(16, 20), (32, 40), (48, 60)]]
        mean = sum(network.inference(x, (32, 40)) for x in scales) / 3
        labels = predicted(network, scales, (32, 40))
        assert torch.equal(labels.long(), mean.argmax(dim=1))
        logits = sum(network.inference_logits(x, (32, 40)) for x in scales)
        assert not torch.equal(labels.long(), logits.argmax(dim=1))

    def test_needs_no_gradient(self):
        assert not build().predict(images(1, 3, 16, 16), samples((16, 16)))[0].pred_sem_seg.data.requires_grad

    def test_more_than_256_classes_do_not_wrap_around(self):
        network = build(decode_head=fcn(8, num_classes=300))
        with torch.no_grad():
            network.decode_head.conv_seg.bias[299] += 100
        assert predicted(network, images(1, 3, 16, 16), (16, 16)).unique().tolist() == [299]

    def test_different_original_sizes_in_a_batch_are_refused(self):
        with pytest.raises(ValueError, match='different original sizes .*: use batch_size=1'):
            build().predict(images(2, 3, 16, 16), samples((16, 16), (16, 18)))


def test_resize_returns_a_map_of_the_wanted_size_as_it_is():
    x = images(1, 3, 4, 5)
    assert resize(x, (4, 5)) is x
