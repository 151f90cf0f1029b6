"""HRDA's 0.x configs build here, and their networks have the published key names."""

from pathlib import Path

import pytest
import torch

from mmseg.engine.legacy_checkpoint import load_strictly, select_segmentor_state
from mmseg.engine.legacy_config import is_legacy, upgrade
from mmseg.evaluation.evaluate import build_networks
from tests.goldens.harness import Case
from tests.models.segmentors.small_hrda import hrda_config
from tests.models.uda import toy  # noqa: F401, a data preprocessor

GOLDENS = Path(__file__).parents[1] / 'goldens'
RECORDED = {
    name: cfg
    for name, cfg in Case(GOLDENS / 'self_training' / 'experiments_mic.npz').meta['resolved'].items()
    if cfg['model']['type'] == 'HRDAEncoderDecoder'
}


@pytest.mark.parametrize('name', RECORDED)
def test_recorded_configs_build(name):
    """Whole configs of the original: windows in windows, the detail crop of the training."""
    new = upgrade(RECORDED[name])
    with torch.device('meta'):
        network = build_networks(new)[1]
    assert network.inference_options.mode == 'slide' and network.inference_options.batched_slide
    assert network.inference_options.crop_size == (1024, 1024)
    assert (network.hr_crop_size, network.scales, network.feature_scale) == ((512, 512), [0.5, 1], 0.5)
    assert network.decode_head.hr_loss_weight == 0.1


def test_some_configs_are_recorded():
    assert RECORDED


@pytest.mark.parametrize('case', ['hrda_daformer_mitb0', 'hrda_dlv2red_r50'])
def test_published_names_load_strictly(case):
    meta = Case(GOLDENS / 'architectures' / f'{case}.npz').meta
    network = build_networks(
        upgrade({'model': {**meta['build']['cfg'], 'data_preprocessor': {'type': 'ToyPreprocessor'}}})
    )[1]
    stored = {f'model.{name}': torch.zeros(shape) for name, shape in meta['state'].items()}
    stored['ema_model.decode_head.head.x'] = torch.zeros(1)
    load_strictly(network, select_segmentor_state(stored))
    assert not any(parameter.any() for parameter in network.parameters())


def test_oldest_names_and_what_the_segmentor_fills_in():
    old = hrda_config(head={'scales': [0.5, 1], 'enable_hr_crop': True, 'hr_slide_inference': True})
    old['type'], old['decode_head']['type'] = 'MultiResEncoderDecoder', 'MultiResAttentionWrapper'
    assert is_legacy({'model': old})
    assert upgrade({'model': old}).model.to_dict() == hrda_config()
