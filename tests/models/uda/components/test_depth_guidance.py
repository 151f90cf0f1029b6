import pytest
import torch

from mmseg.models.uda.components.depth_guidance import DepthGuidance
from mmseg.models.uda.components.depth_similarity import BankIndex

ALWAYS = {'reweight_threshold': -1, 'relabel_threshold': -1, 'threshold_decay': 0}


def test_thresholds_fall_at_every_thousandth_iteration():
    guidance = DepthGuidance(reweight_threshold=0.5, relabel_threshold=0.4, threshold_decay=0.01)
    falls = {0: 0, 9999: 0, 10000: 1, 10999: 1, 11000: 2, 38999: 29, 39000: 30, 40000: 30, 10**6: 30}
    for iteration, number in falls.items():
        expected = (0.5 - 0.01 * number, 0.4 - 0.01 * number)
        assert guidance.thresholds(iteration) == pytest.approx(expected)


def test_the_schedule_can_be_shortened():
    guidance = DepthGuidance(threshold_decay=0.01, decay_begin=10, decay_every=5, decay_end=22)
    assert [round((0.56 - guidance.thresholds(i)[0]) / 0.01) for i in (9, 10, 15, 20, 22, 25)] == [0, 1, 2, 3, 3, 3]


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({'weight_region': 'row'}, "weight_region is one of class, first_row, not 'row'"),
        ({'guidance_flag': 'all'}, "guidance_flag is one of any, last, not 'all'"),
        ({'low': 0.8}, 'low must be from 0 and below high, not 0.8 and 0.75'),
        ({'decay_every': 0}, 'decay_every is at least 1'),
        ({'decay_end': 10}, 'decay_end not before decay_begin'),
    ],
)
def test_settings_that_make_no_sense(settings, message):
    with pytest.raises(ValueError, match=message):
        DepthGuidance(**settings)


def small_case():
    """The target has class 0 at depth 50; crop 1 has 0 and 1 there, and 2 where the target has nothing."""
    counts = torch.zeros(2, 3, 256, dtype=torch.int32)
    counts[1, 0, 50], counts[1, 1, 50], counts[1, 2, 90] = 40, 10, 14
    counts[0, 1, 7] = 64
    labels, depth = torch.zeros(2, 8, 8).long(), torch.full((2, 8, 8), 50, dtype=torch.uint8)
    return counts, labels, torch.ones(2, 8, 8, dtype=torch.bool), torch.full((2, 8, 8), 0.5), depth


@pytest.mark.parametrize(('flag', 'runs'), [('any', True), ('last', False)])
def test_decisions_of_a_batch(flag, runs):
    counts, *given = small_case()
    guidance = DepthGuidance(**ALWAYS, guidance_flag=flag)
    guidance.index = BankIndex(counts)
    found = guidance.assess(*given, iteration=0)
    assert found.replacements == [1, 1]
    assert (found.soft.images, found.soft.classes) == ([0, 1], [1, 1])
    assert (found.soft.values == 0.2).all()
    assert found.runs == runs, 'class 2, the last that is missing, shares no depth with the target'
    similarity = (1 + 1 - 24 / 104) / 2
    assert similarity > 0.75
    assert (found.weight == 1).all()
    size_cosine = 40 / (40**2 + 10**2 + 14**2) ** 0.5
    assert float(found.log['depth.score']) == pytest.approx(size_cosine * similarity, abs=1e-6)
    assert float(found.log['depth.replaced']) == float(found.log['depth.relabelled']) == 1


def test_nothing_happens_below_the_thresholds():
    counts, labels, confident, weight, depth = small_case()
    guidance = DepthGuidance(reweight_threshold=2, relabel_threshold=2)
    guidance.index = BankIndex(counts)
    found = guidance.assess(labels, confident, weight, depth, 0)
    assert torch.equal(found.weight, weight)
    assert found.replacements == [-1, -1]
    assert not found.runs
    assert found.soft.images == []


def test_an_image_without_labels_resembles_nothing():
    counts, labels, confident, weight, depth = small_case()
    labels[1] = 255
    guidance = DepthGuidance(**ALWAYS)
    guidance.index = BankIndex(counts)
    found = guidance.assess(labels, confident, weight, depth, iteration=0)
    assert found.replacements == [1, -1] and found.soft.images == [0]
    assert torch.equal(found.weight[1], weight[1])


def test_a_relabelled_image_need_not_be_reweighted():
    counts, labels, confident, weight, depth = small_case()
    guidance = DepthGuidance(reweight_threshold=2, relabel_threshold=0.3, threshold_decay=0)
    guidance.index = BankIndex(counts)
    found = guidance.assess(labels, confident, weight, depth, 0)
    assert torch.equal(found.weight, weight)
    assert found.replacements == [-1, -1]
    assert found.runs
