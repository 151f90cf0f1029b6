import pytest
import timm
import torch

from mmseg.models.backbones.timm_backbone import _feature_key
from mmseg.registry import MODELS


def build(**options):
    return MODELS.build({'type': 'TIMMBackbone', **options})


@pytest.mark.parametrize('name', ['test_resnet', 'test_convnext', 'test_efficientnet', 'test_vit'])
def test_loads_weights_of_the_whole_network(name, tmp_path):
    torch.manual_seed(0)
    whole = timm.create_model(name, num_classes=7).eval()
    torch.save({'state_dict': whole.state_dict()}, tmp_path / 'whole.pth')
    backbone = build(model_name=name, pretrained=str(tmp_path / 'whole.pth')).eval()
    backbone.init_weights()
    assert backbone.pretrained_loaded
    size = whole.default_cfg['input_size'][-1]
    images = torch.randn(1, 3, size, size)
    expected = whole.forward_intermediates(images, intermediates_only=True)[-len(backbone.out_channels) :]
    for ours, level in zip(backbone(images), expected, strict=True):
        torch.testing.assert_close(ours, level)


@pytest.mark.parametrize('name', ['densenet121', 'cspdarknet53', 'nfnet_l0', 'dpn48b', 'test_convnext', 'test_vit'])
def test_every_layer_finds_its_own_weights_in_the_whole_network(name):
    """Wrappers join the names of outer sequences with those of their children, numbers or words."""
    with torch.device('meta'):
        own = build(model_name=name).timm_model.state_dict()
        whole = timm.create_model(name).state_dict()
    found = {_feature_key(key, own): value.shape for key, value in whole.items()}
    assert {key: found.get(key) for key in own} == {key: value.shape for key, value in own.items()}


def test_swin_gives_channels_first():
    with torch.device('meta'):
        backbone = build(model_name='swin_tiny_patch4_window7_224', img_size=64)
        shapes = [tuple(x.shape[1:]) for x in backbone(torch.empty(1, 3, 64, 64))]
    assert shapes == [(96, 16, 16), (192, 8, 8), (384, 4, 4), (768, 2, 2)]


def test_incomplete_or_foreign_weights_stop(tmp_path):
    file = str(tmp_path / 'weights.pth')
    state = timm.create_model('test_resnet').state_dict()
    backbone = build(model_name='test_resnet', pretrained=file)
    torch.save({key: value for key, value in state.items() if not key.startswith('layer2')}, file)
    with pytest.raises(ValueError, match=r'weights.pth.*missing \(layer2'):
        backbone.init_weights()
    torch.save({**state, 'layer9.weight': torch.zeros(1)}, file)
    with pytest.raises(ValueError, match=r'1 unexpected \(layer9.weight\)'):
        backbone.init_weights()
    assert not backbone.pretrained_loaded


def test_missing_file_names_the_command():
    backbone = build(model_name='test_resnet', pretrained='pretrained/no_such/tf_efficientnet_lite0.pth')
    with pytest.raises(FileNotFoundError, match=r'get_pretrained.py tf_efficientnet_lite0'):
        backbone.init_weights()


def test_unknown_network_names_the_nearest():
    with pytest.raises(ValueError, match="no network 'resnet_18'; did you mean .*resnet18"):
        build(model_name='resnet_18')


def test_unknown_option():
    with pytest.raises(ValueError, match='test_resnet cannot be built.*wings'):
        build(model_name='test_resnet', wings=2)


def test_norm_eval_and_drop_path():
    backbone = build(model_name='test_resnet', norm_eval=True, drop_path_rate=0.5)
    assert backbone.train() is backbone
    norms = [m for m in backbone.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    assert norms
    assert not any(norm.training for norm in norms)
    rates = [module.drop_prob for module in backbone.modules() if type(module).__name__ == 'DropPath']
    assert max(rates) == pytest.approx(0.5)
