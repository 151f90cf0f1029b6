"""The published key layouts, rebuilt from our own state dicts by the rules they are named by."""

import re

import torch

OPENMMLAB = {
    'norm1': 'norm1',
    'attn.proj': 'attn.attn.out_proj',
    'attn.sr': 'attn.sr',
    'attn.norm': 'attn.norm',
    'norm2': 'norm2',
    'mlp.fc1': 'ffn.layers.0',
    'mlp.dwconv.dwconv': 'ffn.layers.1',
    'mlp.fc2': 'ffn.layers.4',
}
HUGGING_FACE = {
    'norm1': 'layer_norm_1',
    'attn.q': 'attention.self.query',
    'attn.sr': 'attention.self.sr',
    'attn.norm': 'attention.self.layer_norm',
    'attn.proj': 'attention.output.dense',
    'norm2': 'layer_norm_2',
    'mlp.fc1': 'mlp.dense1',
    'mlp.dwconv.dwconv': 'mlp.dwconv.dwconv',
    'mlp.fc2': 'mlp.dense2',
}
NEW_HUGGING_FACE = {
    'norm1': 'layernorm_before',
    'attn.q': 'attention.q_proj',
    'attn.sr': 'attention.sequence_reduction.sequence_reduction',
    'attn.norm': 'attention.sequence_reduction.layer_norm',
    'attn.proj': 'attention.o_proj',
    'norm2': 'layernorm_after',
    'mlp.fc1': 'mlp.fc1',
    'mlp.dwconv.dwconv': 'mlp.dwconv.dwconv',
    'mlp.fc2': 'mlp.fc2',
}


def random_state(module):
    """Other values in every entry, so that a mix-up of two shows."""
    return {
        key: torch.rand(value.shape) if value.is_floating_point() else value.clone()
        for key, value in module.state_dict().items()
    }


def to_openmmlab(state):
    foreign = {}
    for key, value in state.items():
        part, stage, rest, kind = re.fullmatch(r'([a-z_]+)(\d)\.(?:(.+)\.)?(weight|bias)', key).groups()
        layer = f'layers.{int(stage) - 1}'
        if part == 'patch_embed':
            foreign[f'{layer}.0.{"projection" if rest == "proj" else "norm"}.{kind}'] = value
        elif part == 'norm':
            foreign[f'{layer}.2.{kind}'] = value
        else:
            block, name = rest.split('.', 1)
            if name == 'attn.q':
                joint = torch.cat([value, state[key.replace('.q.', '.kv.')]])
                foreign[f'{layer}.1.{block}.attn.attn.in_proj_{kind}'] = joint
            elif name != 'attn.kv':
                pointwise = kind == 'weight' and name in ('mlp.fc1', 'mlp.fc2')
                value = value[..., None, None] if pointwise else value
                foreign[f'{layer}.1.{block}.{OPENMMLAB[name]}.{kind}'] = value
    return foreign


def to_hugging_face(state):
    return _hugging_face(state, HUGGING_FACE, 'patch_embeddings.{}', 'block.{}', 'layer_norm.{}', 'attention.self.{}')


def to_new_hugging_face(state):
    stage = 'stages.{}.'
    names = (stage + 'patch_embeddings', stage + 'blocks', stage + 'layer_norm')
    return _hugging_face(state, NEW_HUGGING_FACE, *names, 'attention.{:.1}_proj')


def _hugging_face(state, layers, embedding, block, norm, attention):
    foreign = {}
    for key, value in state.items():
        part, stage, rest, kind = re.fullmatch(r'([a-z_]+)(\d)\.(?:(.+)\.)?(weight|bias)', key).groups()
        stage = int(stage) - 1
        if part == 'patch_embed':
            name = {'proj': 'proj', 'norm': 'layer_norm'}[rest]
            foreign[f'{embedding.format(stage)}.{name}.{kind}'] = value
        elif part == 'norm':
            foreign[f'{norm.format(stage)}.{kind}'] = value
        else:
            number, name = rest.split('.', 1)
            halves = {'key': value.chunk(2)[0], 'value': value.chunk(2)[1]} if name == 'attn.kv' else {}
            named = {attention.format(half): tensor for half, tensor in halves.items()} or {layers[name]: value}
            foreign |= {f'{block.format(stage)}.{number}.{layer}.{kind}': tensor for layer, tensor in named.items()}
    return foreign


def to_timm_deep_stem(state):
    return {re.sub(r'^stem\.7\.', 'bn1.', key).replace('stem.', 'conv1.'): value for key, value in state.items()}


def prefixed(prefix, state):
    return {prefix + key: value for key, value in state.items()}
