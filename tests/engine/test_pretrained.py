import pytest
import torch

from mmseg.engine import pretrained
from mmseg.engine.pretrained import PUBLISHED, convert_openmmlab_mit, find_pretrained, load_pretrained
from mmseg.registry import MODELS


def encoder(kind='mit_b0', **options):
    return MODELS.build({'type': kind, **options})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working directory that is the repository too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pretrained, 'ROOT', tmp_path)
    (tmp_path / 'pretrained').mkdir()
    return tmp_path / 'pretrained'


def same(module, state):
    return all(torch.equal(value, state[key]) for key, value in module.state_dict().items())


@pytest.mark.parametrize('wrap', [lambda s: s, lambda s: {'state_dict': s, 'meta': {}}, lambda s: {'model': s}])
def test_official_mit_layout(folder, wrap):
    state = encoder().state_dict()
    torch.save(wrap({**state, 'head.weight': torch.zeros(1000, 256), 'head.bias': torch.zeros(1000)}), folder / 'm.pth')
    module = encoder(pretrained='pretrained/m.pth')
    module.init_weights()
    assert module.pretrained_loaded
    assert same(module, state)


def to_openmmlab(state):
    """Written from the table of the specification, for one attention layer after the other."""
    names = {
        'patch_embed1.proj': 'layers.0.0.projection',
        'patch_embed1.norm': 'layers.0.0.norm',
        'block1.0.norm1': 'layers.0.1.0.norm1',
        'block1.0.attn.proj': 'layers.0.1.0.attn.attn.out_proj',
        'block1.0.attn.sr': 'layers.0.1.0.attn.sr',
        'block1.0.attn.norm': 'layers.0.1.0.attn.norm',
        'block1.0.norm2': 'layers.0.1.0.norm2',
        'block1.0.mlp.fc1': 'layers.0.1.0.ffn.layers.0',
        'block1.0.mlp.dwconv.dwconv': 'layers.0.1.0.ffn.layers.1',
        'block1.0.mlp.fc2': 'layers.0.1.0.ffn.layers.4',
        'norm1': 'layers.0.2',
    }
    foreign = {}
    for ours, theirs in names.items():
        for kind in ('weight', 'bias'):
            value = state[f'{ours}.{kind}']
            is_pointwise = kind == 'weight' and '.mlp.fc' in ours
            foreign[f'{theirs}.{kind}'] = value[..., None, None] if is_pointwise else value
    for kind in ('weight', 'bias'):
        rows = [state[f'block1.0.attn.{part}.{kind}'] for part in ('q', 'kv')]
        foreign[f'layers.0.1.0.attn.attn.in_proj_{kind}'] = torch.cat(rows)
    return foreign


def test_openmmlab_mit_layout(folder):
    one_stage = {'embed_dims': [8], 'num_heads': [2], 'mlp_ratios': [4], 'depths': [1], 'sr_ratios': [2]}
    module = encoder('MixVisionTransformer', qkv_bias=True, **one_stage)
    state = {key: torch.randn_like(value) for key, value in module.state_dict().items()}
    foreign = to_openmmlab(state)
    torch.save({'state_dict': {f'backbone.{key}': value for key, value in foreign.items()}}, folder / 'foreign.pth')
    load_pretrained(module, 'pretrained/foreign.pth')
    assert same(module, state)
    assert convert_openmmlab_mit(state).keys() == state.keys(), 'the official layout passes unchanged'


def test_resnet_layout_under_its_published_name(folder):
    module = encoder('ResNetV1c', depth=50, pretrained='open-mmlab://resnet50_v1c')
    state = {key: torch.rand_like(value.double()).to(value) for key, value in module.state_dict().items()}
    without_counters = {key: value for key, value in state.items() if not key.endswith('num_batches_tracked')}
    classifier = {'fc.weight': torch.zeros(1000, 2048), 'fc.bias': torch.zeros(1000)}
    torch.save({'state_dict': without_counters | classifier}, folder / 'resnet50_v1c-2cccc1ad.pth')
    module.init_weights()
    assert module.pretrained_loaded
    assert all(torch.equal(value, module.state_dict()[key]) for key, value in without_counters.items())


def test_published_file_names_are_found_under_the_configs_name(folder):
    (folder / PUBLISHED['mit_b5'].file).touch()
    assert find_pretrained('pretrained/mit_b5.pth').name == PUBLISHED['mit_b5'].file
    (folder / 'resnet101_v1c.pth').touch()
    assert find_pretrained('open-mmlab://resnet101_v1c').name == 'resnet101_v1c.pth'


def test_a_file_of_the_repository_is_found_from_elsewhere(folder, tmp_path, monkeypatch):
    (folder / 'mit_b5.pth').touch()
    (tmp_path / 'elsewhere').mkdir()
    monkeypatch.chdir(tmp_path / 'elsewhere')
    assert find_pretrained('pretrained/mit_b5.pth') == tmp_path / 'pretrained' / 'mit_b5.pth'


@pytest.mark.parametrize(
    ('source', 'where', 'published'),
    [
        ('pretrained/mit_b5.pth', 'pretrained/mit_b5.pth', 'segformer/mit_b5_20220624-658746d9.pth'),
        (
            'open-mmlab://resnet101_v1c',
            'pretrained/resnet101_v1c-e67eebb6.pth',
            'https://download.openmmlab.com/pretrain/third_party/resnet101_v1c-e67eebb6.pth',
        ),
        ('https://example.org/a/weights.pth', 'pretrained/weights.pth', 'https://example.org/a/weights.pth'),
    ],
)
def test_missing_file_says_where_it_goes_and_comes_from(folder, source, where, published):
    with pytest.raises(FileNotFoundError) as info:
        find_pretrained(source)
    message = str(info.value)
    assert message.startswith(f'{where}: no such file')
    assert published in message
    assert 'pretrained=None' in message
    assert '\n' not in message


def test_missing_unpublished_file(folder):
    with pytest.raises(FileNotFoundError, match='mine.pth: no such file'):
        find_pretrained('elsewhere/mine.pth')


def test_unknown_name_shows_near_ones(folder):
    with pytest.raises(ValueError, match='did you mean .*resnet101_v1c'):
        find_pretrained('open-mmlab://resnet101v1c')


def test_other_sizes_stop(folder):
    torch.save(encoder('mit_b1').state_dict(), folder / 'b1.pth')
    with pytest.raises(ValueError, match=r'pretrained/b1.pth: does not fit .*of another shape'):
        encoder(pretrained='pretrained/b1.pth').init_weights()
