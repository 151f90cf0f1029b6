"""Reading configs, and one clear line for what is wrong in them."""

import textwrap

import pytest

import mmseg.models.decode_heads  # noqa: F401
from mmseg.engine.config import find_config, load_config
from mmseg.engine.errors import ROOT, clear_config_errors, user_message
from mmseg.registry import MODELS

DAFORMER = 'gta2cs_uda_warm_fdthings_rcs_croppl_a999_daformer_mitb5_s0'


def write(path, text):
    path.write_text(textwrap.dedent(text))
    return path


def test_suffix_may_be_left_out_and_the_repository_is_searched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_config(f'configs/daformer/{DAFORMER}').resolve() == ROOT / 'configs' / 'daformer' / f'{DAFORMER}.py'


def test_missing_config_names_the_nearest():
    with pytest.raises(FileNotFoundError, match=f'does not exist; nearest: .*{DAFORMER}'):
        load_config('configs/daformer/gta2cs_uda_warm_fdthings_rcs_croppl_daformer_mitb5')


def test_missing_config_beside_others(tmp_path):
    write(tmp_path / 'my_run.py', 'model = {}')
    with pytest.raises(FileNotFoundError, match='nearest: .*my_run.py'):
        load_config(tmp_path / 'my_runs')


def test_options_and_their_mistakes(tmp_path):
    path = write(tmp_path / 'a.py', "model = dict(type='X')\ntrain_cfg = dict(max_iters=5)\n")
    assert load_config(path, {'train_cfg.max_iters': 7}).train_cfg.max_iters == 7
    assert load_config(path, {'seed': 3}).seed == 3
    with pytest.raises(ValueError, match='train_cgf.max_iters: no such key; did you mean train_cfg'):
        load_config(path, {'train_cgf.max_iters': 7})


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ("_base_ = ['nowhere.py']", '_base_ file is missing'),
        ('model = dict(type=', 'cannot be read: SyntaxError'),
        ('model = undefined', 'cannot be read: NameError'),
        ("_base_ = ['a.py']", 'is a _base_ of itself'),
        ("_base_ = ['b.py']\nseed = _base_.model.nothing", 'cannot be read: '),
    ],
)
def test_broken_configs(tmp_path, text, words):
    write(tmp_path / 'b.py', "model = dict(type='X')\n")
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        load_config(write(tmp_path / 'a.py', text))


def test_a_checkpoint_in_the_place_of_a_config(tmp_path):
    (tmp_path / 'latest.pth').touch()
    with pytest.raises(ValueError, match='latest.pth is a checkpoint, where a config is expected'):
        load_config(tmp_path / 'latest.pth')


def test_weights_as_openmmlab_names_them(tmp_path):
    text = "model = dict(backbone=dict(type='mit_b0', init_cfg=dict(type='Pretrained', checkpoint='mit_b0.pth')))\n"
    backbone = load_config(write(tmp_path / 'a.py', text)).model.backbone
    assert backbone == {'type': 'mit_b0', 'pretrained': 'mit_b0.pth'}
    write(tmp_path / 'b.py', "_base_ = ['a.py']\nmodel = dict(pretrained='other.pth')\n")
    with pytest.raises(ValueError, match=r'init_cfg names weights, mit_b0.pth, and so does pretrained, other.pth'):
        load_config(tmp_path / 'b.py')


def test_json_config_and_dump_round_trip(tmp_path):
    path = write(tmp_path / 'a.json', '{"model": {"type": "X"}, "sampling": {"temperature": "inf"}}')
    cfg = load_config(path)
    cfg.dump(str(tmp_path / 'b.py'))
    assert load_config(tmp_path / 'b.py').to_dict() == cfg.to_dict()


def test_unknown_type_names_key_and_near_names():
    cfg = {'model': {'type': 'EncoderDecoder', 'decode_head': {'type': 'DAFormerHed'}}}
    words = r"config key model.decode_head.type: .*'DAFormerHed'; did you mean DAFormerHead"
    with pytest.raises(ValueError, match=words), clear_config_errors(cfg):
        MODELS.build(cfg['model']['decode_head'])


def test_unknown_argument_is_one_line():
    head = {'type': 'FCNHead', 'in_channels': 2, 'channels': 2, 'num_classes': 2, 'widht': 3}
    with pytest.raises(ValueError, match='config: .*widht'), clear_config_errors({}):
        MODELS.build(head)


def test_other_errors_pass_through():
    for error in (KeyError('images'), TypeError('argument')):
        with pytest.raises(type(error)), clear_config_errors({}):
            raise error


def caught(function):
    try:
        function()
    except Exception as error:  # noqa: BLE001
        return error
    raise AssertionError('nothing was raised')


def test_message_for_errors_raised_on_purpose_only(tmp_path):
    assert user_message(caught(lambda: load_config('no/such/config'))).startswith('config no/such/config')
    assert user_message(caught(lambda: int('x'))) is None
    assert user_message(caught(lambda: {}['x'])) is None
    # Raised in a test, not in the package: unexpected.
    assert user_message(caught(lambda: (_ for _ in ()).throw(ValueError('x')))) is None


def worker_error(file, code):
    text = (
        'Caught ValueError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n'
        '  File "/venv/torch/utils/data/fetch.py", line 52, in fetch\n    data = self.dataset[i]\n'
        f'  File "{file}", line 3, in load\n    {code}\nValueError: a.png: not an image\n'
    )
    return ValueError(text)


def test_message_of_a_worker():
    ours = ROOT / 'mmseg' / 'datasets' / 'image_io.py'
    assert user_message(worker_error(ours, "raise ValueError(f'{path}: not an image')")) == 'a.png: not an image'
    assert user_message(worker_error(ours, 'value = int(text)')) is None
    assert user_message(worker_error('/venv/other.py', 'raise ValueError(text)')) is None
