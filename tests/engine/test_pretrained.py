import pytest
import torch

from mmseg.engine.pretrained import PUBLISHED, find, find_pretrained
from mmseg.registry import MODELS
from tests.engine.pretrained_layouts import write_old_tar


def encoder(kind='mit_b0', **options):
    return MODELS.build({'type': kind, **options})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working directory that is the repository too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(find, 'ROOT', tmp_path)
    (tmp_path / 'pretrained').mkdir()
    return tmp_path / 'pretrained'


def test_published_file_names_are_found_under_the_configs_name(folder):
    (folder / PUBLISHED['mit_b5'].file).touch()
    assert find_pretrained('pretrained/mit_b5.pth').name == PUBLISHED['mit_b5'].file
    (folder / 'resnet101_v1c.pth').touch()
    assert find_pretrained('open-mmlab://resnet101_v1c').name == 'resnet101_v1c.pth'
    (folder / 'resnet101-5d3b4d8f.pth').touch()
    assert find_pretrained('torchvision://resnet101').name == 'resnet101-5d3b4d8f.pth'


@pytest.mark.parametrize('clone', ['mit-b3', 'mit_b3.imagenet'])
@pytest.mark.parametrize('file', ['model.safetensors', 'pytorch_model.bin'])
def test_cloned_hub_repositories_are_found_under_the_configs_name(folder, clone, file):
    (folder / clone).mkdir()
    (folder / clone / file).touch()
    assert find_pretrained('pretrained/mit_b3.pth') == find_pretrained(f'pretrained/{clone}')
    assert find_pretrained('pretrained/mit_b3.pth').parts[-2:] == (clone, file)


def test_the_file_that_the_config_names_comes_first(folder):
    for name in ('mit_b5.pth', PUBLISHED['mit_b5'].file):
        (folder / name).touch()
    assert find_pretrained('pretrained/mit_b5.pth').name == 'mit_b5.pth'


def test_an_address_means_its_file_in_the_folder(folder):
    (folder / 'mit_b0.pth').touch()
    address = PUBLISHED['mit_b0'].addresses[0]
    assert find_pretrained(address).name == 'mit_b0.pth'


def test_a_file_of_the_repository_is_found_from_elsewhere(folder, tmp_path, monkeypatch):
    (folder / 'mit_b5.pth').touch()
    (tmp_path / 'elsewhere').mkdir()
    monkeypatch.chdir(tmp_path / 'elsewhere')
    assert find_pretrained('pretrained/mit_b5.pth') == tmp_path / 'pretrained' / 'mit_b5.pth'


@pytest.mark.parametrize(
    ('source', 'where', 'advice'),
    [
        ('pretrained/mit_b5.pth', 'pretrained/mit_b5.pth', 'run: python tools/get_pretrained.py mit_b5'),
        ('pretrained/mit_b5.pth', 'pretrained/mit_b5.pth', 'segformer/mit_b5_20220624-658746d9.pth or nvidia/mit-b5'),
        (
            'open-mmlab://resnet101_v1c',
            'pretrained/resnet101_v1c-e67eebb6.pth',
            'https://download.openmmlab.com/pretrain/third_party/resnet101_v1c-e67eebb6.pth',
        ),
        ('https://example.org/a/weights.pth', 'pretrained/weights.pth', 'https://example.org/a/weights.pth'),
    ],
)
def test_missing_file_says_where_it_goes_and_comes_from(folder, source, where, advice):
    with pytest.raises(FileNotFoundError) as info:
        find_pretrained(source)
    message = str(info.value)
    assert message.startswith(f'{where}: no such file')
    assert advice in message
    assert 'pretrained=None' in message
    assert '\n' not in message


def test_missing_unpublished_file(folder):
    with pytest.raises(FileNotFoundError, match='mine.pth: no such file') as info:
        find_pretrained('elsewhere/mine.pth')
    assert 'get_pretrained' not in str(info.value)


@pytest.mark.parametrize(
    ('source', 'message'),
    [
        ('open-mmlab://resnet101v1c', 'did you mean .*open-mmlab://resnet101_v1c'),
        ('open-mmlab://resnet101', 'did you mean'),
        ('torchvision://vgg16.imagenet1k_v1', 'not a known name'),
        ('torchvision://resnet50.imagenet1k_v2', r'only the V1 weights .*\(torchvision://resnet50\).*give its path'),
        ('torchvision://ResNet101_Weights.DEFAULT', r'only the V1 weights .*\(torchvision://resnet101\)'),
        ('model-zoo://resnet101', 'there are open-mmlab:// and torchvision:// names'),
    ],
)
def test_unknown_name_shows_near_ones(folder, source, message):
    with pytest.raises(ValueError, match=message):
        find_pretrained(source)


def test_every_published_network_can_be_built():
    for entry in PUBLISHED.values():
        if not entry.network['type'].startswith('mit') and entry.network.get('depth', 0) < 101:
            assert MODELS.build(dict(entry.network))


def test_other_networks_stop_with_both_names(folder):
    torch.save(encoder('mit_b1').state_dict(), folder / 'b1.pth')
    with pytest.raises(ValueError, match=r'pretrained/b1.pth: weights of mit_b1, but the network is mit_b0'):
        encoder(pretrained='pretrained/b1.pth').init_weights()


def test_missing_entries_stop(folder):
    state = encoder().state_dict()
    del state['norm4.weight']
    torch.save(state, folder / 'part.pth')
    with pytest.raises(ValueError, match=r'pretrained/part.pth: does not fit .*1 missing \(norm4.weight\)'):
        encoder(pretrained='pretrained/part.pth').init_weights()


def test_an_older_files_address_or_name_means_the_same_weights(folder):
    (folder / 'resnet101.pth').touch()
    assert find_pretrained('https://download.pytorch.org/models/resnet101-5d3b4d8f.pth').name == 'resnet101.pth'
    assert find_pretrained('pretrained/resnet101-5d3b4d8f.pth').name == 'resnet101.pth'


def test_files_in_the_old_tar_format_come_last(folder):
    old = folder / 'resnet101-5d3b4d8f.pth'
    write_old_tar(old, {'a': torch.ones(1)})
    address = f'https://download.pytorch.org/models/{old.name}'
    assert find_pretrained(address).name == old.name
    (folder / 'resnet101.pth').touch()
    assert find_pretrained(address).name == 'resnet101.pth'


@pytest.mark.parametrize(
    ('source', 'file'),
    [
        ('open-mmlab://resnet18_v1c', 'resnet18_v1c-b5776b93.pth'),
        ('open-mmlab://resnext101_64x4d', 'resnext101_64x4d-ee2c6f71.pth'),
        ('torchvision://resnet18', 'resnet18-f37072fd.pth'),
        ('torchvision://resnet34', 'resnet34-b627a593.pth'),
        ('torchvision://resnet152', 'resnet152-394f9c45.pth'),
        ('torchvision://resnet50.imagenet1k_v1', 'resnet50-0676ba61.pth'),
        ('torchvision://ResNet50_Weights.IMAGENET1K_V1', 'resnet50-0676ba61.pth'),
    ],
)
def test_names_of_current_configs(folder, source, file):
    (folder / file).touch()
    assert find_pretrained(source).name == file


def test_addresses_of_torchvision_are_its_own():
    from torchvision.models import get_model_weights

    for depth in (18, 34, 50, 101, 152):
        assert PUBLISHED[f'resnet{depth}'].addresses == (get_model_weights(f'resnet{depth}').IMAGENET1K_V1.url,)


def test_every_file_of_openmmlab_has_a_mirror():
    for name, entry in PUBLISHED.items():
        if entry.scheme == 'open-mmlab':
            first, second = entry.addresses
            assert second == first.replace('download.openmmlab.com', 'mmassets.onedl.ai') != first, name
