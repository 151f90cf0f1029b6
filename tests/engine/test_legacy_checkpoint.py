import pickle

import numpy as np
import pytest
import torch
from torch import nn

from mmseg.engine import legacy_checkpoint
from mmseg.engine.legacy_checkpoint import is_old_tar, load_student, read_checkpoint, select_segmentor_state
from tests.engine.pretrained_layouts import write_old_tar


class Network(nn.Module):
    def __init__(self, classes=19, width=4):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width))
        self.decode_head = nn.ModuleDict({'embed': nn.Conv2d(width, 6, 1), 'conv_seg': nn.Conv2d(6, classes, 1)})
        self.num_classes = classes


def state_of(seed, **options):
    torch.manual_seed(seed)
    return Network(**options).state_dict()


def with_prefix(prefix, state):
    return {prefix + key: value for key, value in state.items()}


STUDENT, TEACHER = state_of(1), state_of(2)
METHOD = with_prefix('model.', STUDENT) | with_prefix('ema_model.', TEACHER) | with_prefix('imnet_model.', state_of(3))
METHOD |= with_prefix('mic.teacher.ema_model.', state_of(4)) | {'model_D.main.conv1.weight': torch.zeros(2)}
PUBLISHED = with_prefix('model.', STUDENT)
LAYOUTS = {
    'whole method': METHOD,
    'published': PUBLISHED,
    'bare': STUDENT,
    'parallel wrapper outside': with_prefix('module.', METHOD),
    'parallel wrapper inside': {key.replace('model.', 'model.module.', 1): value for key, value in METHOD.items()},
    'bare with ImageNet copy': STUDENT | with_prefix('imnet_model.', state_of(3)),
    'distillation': with_prefix('stu_model.', STUDENT) | with_prefix('cu_model.', TEACHER),
}


def save(tmp_path, content, **options):
    path = tmp_path / 'checkpoint.pth'
    torch.save(content, path, **options)
    return path


def assert_holds(model, state):
    for key, value in model.state_dict().items():
        assert torch.equal(value, state[key]), key


@pytest.mark.parametrize('wrapped', [True, False], ids=['state_dict', 'flat'])
@pytest.mark.parametrize('layout', LAYOUTS)
def test_every_layout_gives_the_student(tmp_path, layout, wrapped):
    state = LAYOUTS[layout]
    path = save(tmp_path, {'state_dict': state, 'meta': {'iter': 40000}} if wrapped else state)
    model = Network()
    meta = load_student(model, path)
    assert_holds(model, STUDENT)
    assert meta == ({'iter': 40000} if wrapped else {})


@pytest.mark.parametrize('layout', ['whole method', 'parallel wrapper outside', 'parallel wrapper inside'])
def test_teacher(tmp_path, layout):
    model = Network()
    load_student(model, save(tmp_path, {'state_dict': LAYOUTS[layout]}), ema=True)
    assert_holds(model, TEACHER)


@pytest.mark.parametrize('layout', ['published', 'bare'])
def test_no_teacher_to_evaluate(tmp_path, layout):
    with pytest.raises(ValueError, match=r'checkpoint.pth: holds no teacher \(ema_model.\*\); without --ema'):
        load_student(Network(), save(tmp_path, LAYOUTS[layout]), ema=True)


def test_only_teacher_in_the_file(tmp_path):
    assert not select_segmentor_state(with_prefix('ema_model.', TEACHER))
    with pytest.raises(ValueError, match='11 missing'):
        load_student(Network(), save(tmp_path, with_prefix('ema_model.', TEACHER)))


def test_what_the_network_does_without_is_not_loaded(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(legacy_checkpoint, 'print_log', lambda text, *_: said.append(text))
    extra = {'decode_head.attention.weight': torch.zeros(2), 'decode_head.attention_too.weight': torch.zeros(2)}
    model = Network()
    model.decode_head.unused_parts = ('attention', 'attention_too')
    load_student(model, save(tmp_path, PUBLISHED | with_prefix('model.', extra)))
    assert_holds(model, STUDENT)
    assert len(said) == 1 and 'decode_head.attention., decode_head.attention_too.' in said[0]
    model.decode_head.unused_parts = ('attention',)
    with pytest.raises(ValueError, match='1 unexpected .decode_head.attention_too.weight'):
        load_student(model, save(tmp_path, PUBLISHED | with_prefix('model.', extra)))


def test_old_file_format(tmp_path):
    model = Network()
    load_student(model, save(tmp_path, {'state_dict': METHOD}, _use_new_zipfile_serialization=False))
    assert_holds(model, STUDENT)


def test_class_count_is_named(tmp_path):
    path = save(tmp_path, PUBLISHED)
    with pytest.raises(ValueError, match='^.*checkpoint.pth: checkpoint has 19 classes, the config 11$'):
        load_student(Network(classes=11), path)


def test_mismatch_lists_keys_shortened_and_loads_nothing(tmp_path):
    state = dict(STUDENT) | {f'decode_head.extra.{i}': torch.zeros(1) for i in range(6)}
    del state['decode_head.embed.bias'], state['backbone.0.weight']
    model = Network()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(ValueError) as caught:
        load_student(model, save(tmp_path, state))
    message = str(caught.value)
    assert '2 missing (backbone.0.weight, decode_head.embed.bias)' in message
    assert '6 unexpected (decode_head.extra.0, ' in message
    assert '... 2 more)' in message
    assert 'decode_head.extra.5' not in message
    assert '\n' not in message
    assert_holds(model, before)


def test_other_shapes_are_listed(tmp_path):
    message = r'of another shape \(backbone.0.weight 8x3x3x3 instead of 4x3x3x3'
    with pytest.raises(ValueError, match=message):
        load_student(Network(), save(tmp_path, state_of(1, width=8)))


@pytest.mark.parametrize('value', [np.float64(68.85), np.float32(0.5), np.int64(3), np.bool_(True)])
def test_numpy_numbers_are_read_without_trust(tmp_path, value):
    read = read_checkpoint(save(tmp_path, {'best_score': value, 'state_dict': STUDENT}))
    assert read['best_score'] == value
    assert read['best_score'].dtype == value.dtype


def test_numpy_numbers_of_old_numpy_are_read(tmp_path):
    """Before NumPy 2 the module was called numpy.core."""
    path = save(tmp_path, {'best_iou': np.float64(1.5)}, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    assert b'numpy._core.multiarray' in content
    path.write_bytes(content.replace(b'numpy._core.multiarray', b'numpy.core.multiarray'))
    assert read_checkpoint(path)['best_iou'] == 1.5


class Foreign:
    touched = False

    def __setstate__(self, state):
        Foreign.touched = True

    def __getstate__(self):
        return {'a': 1}


def test_other_objects_need_trust(tmp_path):
    path = save(tmp_path, {'state_dict': STUDENT, 'history': Foreign()})
    with pytest.raises(ValueError, match=r'holds Python objects \(.*Foreign\).*--trust-checkpoint$'):
        read_checkpoint(path)
    assert not Foreign.touched
    assert isinstance(read_checkpoint(path, trust=True)['history'], Foreign)


@pytest.mark.parametrize('content', [b'', b'<html>404</html>', pickle.dumps({'a': 1}), b'PK\x03\x04 cut off'])
@pytest.mark.parametrize('trust', [False, True])
def test_not_a_checkpoint(tmp_path, content, trust):
    path = tmp_path / 'broken.pth'
    path.write_bytes(content)
    with pytest.raises(ValueError, match='broken.pth: (not a checkpoint|cannot be read)') as caught:
        read_checkpoint(path, trust)
    assert '\n' not in str(caught.value)


def test_truncated_checkpoint(tmp_path):
    path = save(tmp_path, METHOD)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(ValueError, match='cannot be read as a checkpoint'):
        read_checkpoint(path)


@pytest.mark.parametrize('content', [[1, 2], {'meta': {}}, {'state_dict': {'a': 1}}])
def test_checkpoint_without_weights(tmp_path, content):
    with pytest.raises(ValueError, match=r'holds (a list|no weights)'):
        load_student(Network(), save(tmp_path, content))


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='nothing.pth: no such checkpoint'):
        load_student(Network(), tmp_path / 'nothing.pth')


def test_tar_archives_of_the_first_pytorch_need_trust(tmp_path):
    state = {'conv.weight': torch.rand(2, 3, 1, 1), 'bn.running_mean': torch.rand(2)}
    path = tmp_path / 'old.pth'
    write_old_tar(path, state)
    assert is_old_tar(path)
    with pytest.raises(ValueError, match=r"old.pth: is in PyTorch's old tar format .* add --trust-checkpoint$"):
        read_checkpoint(path)
    read = read_checkpoint(path, trust=True)
    assert read.keys() == state.keys() and all(torch.equal(read[key], state[key]) for key in state)


def test_damaged_tar_archives(tmp_path):
    path = tmp_path / 'old.pth'
    write_old_tar(path, {'weight': torch.rand(200)})
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ValueError, match=r'old.pth: cannot be read as a checkpoint'):
        read_checkpoint(path, trust=True)


def test_new_files_are_no_tar_archives(tmp_path):
    assert not is_old_tar(save(tmp_path, STUDENT))
    assert not is_old_tar(save(tmp_path, STUDENT, _use_new_zipfile_serialization=False))
