"""A wrong ``test_cfg`` is one clear error before anything runs."""

import pytest
import torch

from mmseg.models.segmentors.inference_options import InferenceOptions

SLIDE = {'mode': 'slide', 'crop_size': [96, 64], 'stride': [48, 32]}


def test_default_is_whole():
    assert InferenceOptions.from_config(None) == InferenceOptions(mode='whole')
    assert InferenceOptions.from_config({}) == InferenceOptions(mode='whole')


def test_lists_of_json_configs_become_tuples():
    options = InferenceOptions.from_config(SLIDE)
    assert options == InferenceOptions('slide', (96, 64), (48, 32), batched_slide=True)
    assert not InferenceOptions.from_config({**SLIDE, 'batched_slide': False}).batched_slide


def test_smaller_batches_of_windows_on_a_cpu():
    sizes = {kind: InferenceOptions().pixels_on(torch.device(kind)) for kind in ('cpu', 'cuda')}
    assert sizes == {'cpu': 2**17, 'cuda': 2**22}
    assert InferenceOptions(batch_pixels=5).pixels_on(torch.device('cpu')) == 5


def test_window_options_may_stay_when_the_mode_is_switched_to_whole():
    assert InferenceOptions.from_config({**SLIDE, 'mode': 'whole'}).mode == 'whole'


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'mode': 'sliding'}, "unknown test_cfg mode 'sliding'; known: 'whole', 'slide'"),
        ({'crop_size': None}, r"mode 'slide' needs crop_size=\(height, width\)"),
        ({'stride': None}, r"mode 'slide' needs stride=\(height, width\)"),
        ({'crop_size': 96}, r'crop_size must be \(height, width\), two positive integers, got 96'),
        ({'crop_size': [96, 64, 3]}, 'crop_size must be'),
        ({'stride': [0, 32]}, 'stride must be'),
        ({'stride': [48, 32.0]}, 'stride must be'),
        ({'stride': [97, 32]}, 'leaves gaps'),
        ({'batch_pixels': 0}, 'batch_pixels must be a positive integer, got 0'),
        ({'cropsize': [96, 64]}, 'unknown test_cfg key cropsize; known: mode, crop_size'),
    ],
)
def test_errors(changes, message):
    with pytest.raises(ValueError, match=message):
        InferenceOptions.from_config({**SLIDE, **changes})
