"""Predictions at the original size, band by band."""

import weakref

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from mmseg.models.resize import bands, resize, resize_band
from mmseg.models.segmentors import full_size
from mmseg.models.segmentors.full_size import label_maps
from mmseg.structures import SegDataSample
from tests.models.segmentors.small_networks import CLASSES, build, images

sides = st.integers(1, 40)


@given(sides, sides, st.integers(1, 4), st.integers(1, 2000))
def test_bands_cover_all_rows_once_within_the_limit(height, width, numbers, limit):
    found = bands((height, width), numbers, limit)
    assert [row for band in found for row in range(band.start, band.stop)] == list(range(height))
    assert all(band.stop - band.start == 1 or (band.stop - band.start) * width * numbers <= limit for band in found)


@given(sides, sides, sides, sides, st.booleans(), st.integers(1, 600))
def test_bands_of_a_resized_map_are_its_rows(height, width, high, wide, align_corners, limit):
    x = images(2, 3, height, width)
    whole = resize(x, (high, wide), align_corners)
    parts = [resize_band(x, (high, wide), band, align_corners) for band in bands((high, wide), 3, limit)]
    torch.testing.assert_close(torch.cat(parts, dim=2), whole)


@given(
    st.integers(2, 40), st.integers(2, 40), st.sampled_from([2, 4, 8, 16]), st.integers(129, 200), st.integers(1, 6000)
)
def test_bands_of_logits_that_grow_by_a_power_of_two_are_exact(height, width, times, wide, limit):
    x, size = images(1, 3, height, width).float(), (times * height, wide)
    parts = [resize_band(x, size, band, False) for band in bands(size, 3, limit)]
    assert torch.equal(torch.cat(parts, dim=2), resize(x, size))


class Softmax:
    align_corners = False

    @staticmethod
    def to_probabilities(logits):
        return logits.softmax(dim=1)

    @staticmethod
    def to_label_maps(probabilities):
        return probabilities.argmax(dim=1, keepdim=True)


@pytest.mark.parametrize('together', [False, True])
@pytest.mark.parametrize('limit', [1, 700, 10**9])
def test_mean_of_probabilities_decides(together, limit):
    predictions = [3 * images(2, 4, 9, 13), images(2, 4, 20, 30), -images(2, 4, 30, 40)]
    mean = sum(resize(logits, (20, 30)).softmax(dim=1) for logits in predictions) / 3
    labels = label_maps(Softmax, iter(predictions), 3, (20, 30), together, limit)
    assert labels.shape == (2, 1, 20, 30)
    assert (labels == mean.argmax(dim=1, keepdim=True)).double().mean() > 0.999
    single = label_maps(Softmax, iter(predictions[:1]), 1, (20, 30), together, limit)
    assert (single[:, 0] == resize(predictions[0], (20, 30)).argmax(dim=1)).double().mean() > 0.999


class LargestTensor(TorchDispatchMode):
    """Remembers the largest tensor of floats that an operation made."""

    largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if isinstance(out, torch.Tensor) and out.is_floating_point():
            self.largest = max(self.largest, out.numel())
        return out


def predicted(network, scales, size, **options):
    return network.predict(scales, [SegDataSample(metainfo={'ori_shape': size})], **options)[0]


def test_no_scores_at_full_size(monkeypatch):
    """A large original size costs no more than the network's own output and a band; all of it gives the same."""
    x, size = images(1, 3, 24, 32), (240, 320)
    for options in ({}, {'flip_tta': True}):
        network = build(test_cfg=options)
        expected = predicted(network, x, size).pred_sem_seg.data
        monkeypatch.setattr(full_size, 'BAND', CLASSES * 320 * 10)
        with LargestTensor() as seen:
            labels = predicted(network, x, size).pred_sem_seg.data
        monkeypatch.undo()
        assert seen.largest <= 2 * CLASSES * 320 * 10
        assert (labels == expected).double().mean() > 0.999


def test_one_sum_for_scales_that_are_larger_than_the_result(monkeypatch):
    network = build(test_cfg={'flip_tta': True})
    scales = [images(1, 3, *size) for size in [(32, 40), (64, 80)]]
    alive, made = [], []
    original = network._unscaled_logits

    def watched(x, size):
        alive.append(sum(reference() is not None for reference in made))
        logits = original(x, size)
        made.append(weakref.ref(logits))
        return logits

    monkeypatch.setattr(network, '_unscaled_logits', watched)
    labels = predicted(network, scales, (32, 40)).pred_sem_seg.data
    assert alive == [0, 0, 0, 0]
    both = predicted(network, scales, (32, 40), probabilities=True)
    assert torch.equal(both.pred_sem_seg.data, labels)
    torch.testing.assert_close(both.seg_logits.data.sum(dim=0), torch.ones(32, 40, dtype=torch.float64))
