"""PMDAv2's 0.x config builds here, and a published checkpoint loads key by key."""

import copy
from pathlib import Path

import pytest
import torch

from mmseg.engine.config import load_config
from mmseg.engine.legacy_checkpoint import load_strictly, select_segmentor_state
from mmseg.engine.legacy_config import is_legacy, upgrade
from mmseg.evaluation.config_options import set_hrda_output
from mmseg.evaluation.evaluate import build_networks
from tests.goldens.harness import Case
from tests.models.segmentors.small_cascade import cascade_config

ROOT = Path(__file__).parents[2]
META = Case(ROOT / 'tests' / 'goldens' / 'pmdav2' / 'keys_r101_published.npz').meta
CONFIG = ROOT / 'configs' / 'pmdav2' / 'pmdav2_gta2cs.py'
PREFIXES = ('', 'model.', 'module.', 'module.model.')


@pytest.fixture(scope='module')
def network():
    with torch.device('meta'):
        return build_networks(load_config(str(CONFIG)))[1]


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def published(prefix='', without=''):
    """A state dict of the published names, on the meta device: the real one takes 1.5 GB."""
    return {
        prefix + name: torch.empty(shape, device='meta')
        for name, shape in META['state'].items()
        if not without or without not in name
    }


def test_our_config_holds_the_published_network():
    ours = plain(load_config(str(CONFIG)).model.to_dict())
    del ours['data_preprocessor']
    expected = {**copy.deepcopy(META['model']), 'pretrained': 'open-mmlab://resnet101_v1c'}
    assert ours == plain(expected)


@pytest.mark.parametrize('prefix', PREFIXES)
def test_published_names_load_strictly(network, prefix):
    stored = published(prefix)
    if prefix.endswith('model.'):
        stored |= {'ema_model.decode_head.0.conv_seg.bias': torch.empty(19, device='meta')}
    load_strictly(network, select_segmentor_state(stored))


def test_missing_and_foreign_weights_are_named(network):
    with pytest.raises(ValueError, match=r'6 missing \(decode_head.1.pm.out_project'):
        load_strictly(network, select_segmentor_state(published(without='pm.out_project')))
    with pytest.raises(ValueError, match='unexpected'):
        load_strictly(network, select_segmentor_state({**published(), 'decode_head.2.x': torch.empty(1)}))


def test_a_published_config_is_translated():
    """Heads in a list are searched for old names too."""
    old = {
        'model': copy.deepcopy(META['model']),
        'optimizer': META['optimizer'],
        'runner': {'type': 'IterBasedRunner', 'max_iters': 40000},
    }
    assert is_legacy(old)
    new = upgrade(old)
    assert new.model.decode_head[1].bottleneck_kernel_size == [7, 11, 21]
    oldest = cascade_config()
    oldest['decode_head'][0]['type'] = 'UniHead'
    assert is_legacy({'model': oldest})
    assert upgrade({'model': oldest}).model.decode_head[0].type == 'DAFormerHead'


def test_hrda_outputs_are_refused():
    with pytest.raises(ValueError, match='is no HRDA, it has one prediction .CascadeEncoderDecoder with PMDAV2'):
        set_hrda_output(load_config(str(CONFIG)), 'LR')
