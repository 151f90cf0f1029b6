"""Decisions of single batches: weights, replacements, soft labels, whether the guidance pass runs."""

import numpy as np
import pytest

from mmseg.models.uda.components.depth_bank import class_depth_histogram
from mmseg.models.uda.components.depth_guidance import DepthGuidance
from mmseg.models.uda.components.depth_similarity import BankIndex

VALUES = 2e-6
RESULTS = {'weight_class', 'weight_first_row', 'replace_index', 'score', 'best', 'best_class_similarity'}
RESULTS |= {'soft_channels', 'soft_values'}


def run(case):
    for number, situation in enumerate(case.meta['situations']):
        given = {name.removeprefix(f's{number}_'): name for name in case.inputs if name.startswith(f's{number}_')}
        inputs = {name: case.tensor(key) for name, key in given.items()}
        stored = {name: f's{number}_{name}' for name in RESULTS}
        expected = {name: case.arrays[key] for name, key in stored.items() if key in case.arrays}
        _compare(situation, inputs, expected)


def _compare(situation, inputs, expected):
    regions = ['class']
    if situation.get('error_first_row'):
        with pytest.raises(ValueError, match='needs square crops'):
            _assess(inputs, 'first_row')
    elif 'weight_first_row' in expected and _is_square(inputs['weight']):
        regions.append('first_row')
    elif 'weight_first_row' in expected:
        # Where nothing is re-weighted the published code does not come to the point at which it fails.
        assert (expected['replace_index'] == -1).all(), situation['title']
        np.testing.assert_array_equal(inputs['weight'].numpy(), expected['weight_first_row'])
    for region in regions:
        guidance, found = _assess(inputs, region)
        title = f'{situation["title"]}, {region}'
        weight = found.weight.numpy()
        np.testing.assert_allclose(weight, expected[f'weight_{region}'], rtol=0, atol=VALUES, err_msg=title)
        assert found.replacements == expected['replace_index'].tolist(), title
        assert found.runs == situation['guidance'], title
        _compare_soft_labels(title, found.soft, expected)
    if 'guidance_weight' in situation:
        share = guidance.guidance_weight * situation['base_weight']
        np.testing.assert_allclose(share, situation['guidance_weight'], rtol=1e-5)
    _compare_match(guidance, inputs, expected)


def _is_square(weight):
    return weight.shape[-1] == weight.shape[-2]


def _assess(inputs, region):
    """The thresholds of the case are those in force: a schedule has no part in it."""
    guidance = DepthGuidance(
        reweight_threshold=float(inputs['reweight_threshold']),
        relabel_threshold=float(inputs['relabel_threshold']),
        threshold_decay=0,
        ignore_classes=inputs['ignore_classes'].tolist(),
        weight_region=region,
        guidance_flag='last',
    )
    guidance.index = BankIndex(inputs['bank'])
    given = [inputs[name] for name in ('pseudo_label', 'confident', 'weight', 'depth')]
    return guidance, guidance.assess(*given, iteration=0)


def _compare_soft_labels(title, soft, expected):
    pairs = [list(pair) for pair in zip(soft.images, soft.classes, strict=True)]
    channels = expected.get('soft_channels', np.zeros((0, 2), np.int64)).tolist()
    assert pairs == channels, f'{title}: soft labels {pairs}, expected {channels}'
    if channels:
        np.testing.assert_allclose(soft.values.numpy(), expected['soft_values'], rtol=0, atol=VALUES, err_msg=title)


def _compare_match(guidance, inputs, expected):
    target = class_depth_histogram(inputs['pseudo_label'], inputs['depth'], guidance.index.num_classes)
    match = guidance.index.match(target)
    np.testing.assert_array_equal(match.best.numpy(), expected['best'])
    np.testing.assert_allclose(match.score.numpy(), expected['score'], rtol=0, atol=VALUES)
    similarity = expected['best_class_similarity']
    np.testing.assert_allclose(match.classes.numpy(), similarity, rtol=0, atol=VALUES)
