"""Mix Transformer weights of the four public layouts."""

import pytest
import torch
from safetensors.torch import save_file

from mmseg.engine.pretrained import (
    convert_hugging_face_mit,
    convert_openmmlab_mit,
    load_pretrained,
    read_encoder,
)
from mmseg.registry import MODELS
from tests.engine.pretrained_layouts import prefixed, random_state, to_hugging_face, to_new_hugging_face, to_openmmlab

TWO_STAGES = {
    'embed_dims': [8, 12],
    'num_heads': [2, 3],
    'mlp_ratios': [4, 2],
    'depths': [2, 1],
    'sr_ratios': [2, 1],
    'qkv_bias': True,
}


def head(name='head', channels=12):
    return {f'{name}.weight': torch.zeros(1000, channels), f'{name}.bias': torch.zeros(1000)}


LAYOUTS = {
    'NVlabs': lambda state: {**state, **head()},
    'smp-hub': lambda state: state,
    'a whole network of segmentation-models-pytorch': lambda state: prefixed('encoder.', state),
    'in an entry': lambda state: {'state_dict': state, 'meta': {}},
    'in another entry': lambda state: {'model': state},
    'OpenMMLab': to_openmmlab,
    'OpenMMLab, wrapped': lambda state: {'state_dict': prefixed('module.backbone.', to_openmmlab(state))},
    'Hugging Face, classifier': lambda state: {
        **prefixed('segformer.encoder.', to_hugging_face(state)),
        **head('classifier'),
    },
    'Hugging Face, in memory': lambda state: prefixed('segformer.', to_new_hugging_face(state)),
    'Hugging Face, bare model': lambda state: prefixed('encoder.', to_hugging_face(state)),
}


@pytest.fixture
def module():
    return MODELS.build({'type': 'MixVisionTransformer', **TWO_STAGES})


def same(module, state):
    return all(torch.equal(value, state[key]) for key, value in module.state_dict().items())


@pytest.mark.parametrize('layout', LAYOUTS)
def test_layouts(layout, module, tmp_path, caplog):
    state = random_state(module)
    torch.save(LAYOUTS[layout](state), tmp_path / 'weights.pth')
    load_pretrained(module, str(tmp_path / 'weights.pth'))
    assert same(module, state)
    assert 'beside the encoder' not in caplog.text


@pytest.mark.parametrize('layout', ['smp-hub', 'Hugging Face, classifier'])
def test_safetensors(layout, module, tmp_path):
    state = random_state(module)
    foreign = {key: value.contiguous() for key, value in LAYOUTS[layout](state).items()}
    save_file(foreign, tmp_path / 'model.safetensors')
    load_pretrained(module, str(tmp_path / 'model.safetensors'))
    assert same(module, state)


def test_no_layout_has_keys_of_another(module):
    """Each rule gives names of its own, or the tests above would prove nothing."""
    state = random_state(module)
    for rename in (to_openmmlab, to_hugging_face, to_new_hugging_face):
        assert not state.keys() & rename(state).keys()


def test_official_layout_passes_unchanged(module):
    state = random_state(module)
    for convert in (convert_openmmlab_mit, convert_hugging_face_mit):
        assert convert(state).keys() == state.keys()


def test_names_of_what_was_found(module, tmp_path):
    state = prefixed('segformer.encoder.', to_hugging_face(random_state(module)))
    torch.save({**state, **head('classifier')}, tmp_path / 'weights.bin')
    encoder = read_encoder(tmp_path / 'weights.bin')
    assert encoder.layout.name == 'Hugging Face transformers'
    assert encoder.prefix == 'segformer.encoder.'
    assert encoder.head == ('classifier.weight', 'classifier.bias')
    assert not encoder.others


def test_a_decoder_in_the_file_is_left_out_with_a_warning(module, tmp_path, monkeypatch):
    messages = []
    monkeypatch.setattr('mmseg.engine.pretrained.load.print_log', lambda text, **_: messages.append(text))
    state = random_state(module)
    decoder = {'decode_head.conv_seg.weight': torch.zeros(19, 8, 1, 1)}
    torch.save({'state_dict': {**prefixed('backbone.', state), **decoder}}, tmp_path / 'segmentor.pth')
    load_pretrained(module, str(tmp_path / 'segmentor.pth'))
    assert same(module, state)
    assert len(messages) == 1 and 'decode_head.conv_seg.weight' in messages[0] and 'labels' in messages[0]


def test_values_without_keys_stop(module, tmp_path):
    state = to_hugging_face(random_state(module))
    del state['block.0.1.attention.self.value.weight']
    torch.save(state, tmp_path / 'part.pth')
    with pytest.raises(ValueError, match=r'part.pth: does not fit .*1 missing \(block1.1.attn.kv.weight\)'):
        load_pretrained(module, str(tmp_path / 'part.pth'))


def test_training_checkpoints_are_ambiguous(module, tmp_path):
    state = random_state(module)
    both = {**prefixed('model.backbone.', state), **prefixed('ema_model.backbone.', state)}
    torch.save({'state_dict': both}, tmp_path / 'iter_1.pth')
    with pytest.raises(
        ValueError, match=r'iter_1.pth: holds 2 encoders \(model.backbone, ema_model.backbone\).*load_from'
    ):
        load_pretrained(module, str(tmp_path / 'iter_1.pth'))
