"""The published key layouts, rebuilt from our own state dicts by the rules they are named by, and the oldest format."""

import io
import pickle
import re
import struct
import tarfile

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


def to_mmpretrain_deep_stem(state):
    names = {'0': '0.conv', '1': '0.bn', '3': '1.conv', '4': '1.bn', '6': '2.conv', '7': '2.bn'}
    return {re.sub(r'^stem\.(\d)', lambda found: f'stem.{names[found[1]]}', key): state[key] for key in state}


def write_old_tar(path, state):
    """A flat state dict of floats as PyTorch before 0.1.10 wrote it: tensors beside a pickle that names them."""
    storages, tensors = io.BytesIO(), io.BytesIO()
    pickle.dump(len(state), storages, 2)
    pickle.dump(len(state), tensors, 2)
    for i, value in enumerate(state.values()):
        pickle.dump((1000 + i, 'cpu', torch.FloatStorage), storages, 2)
        storages.write(struct.pack('<q', value.numel()) + value.contiguous().numpy().tobytes())
        pickle.dump((i, 1000 + i, None), tensors, 2)
        sizes = (*value.shape, *value.contiguous().stride())
        tensors.write(struct.pack(f'<ii{2 * value.ndim}qq', value.ndim, 0, *sizes, 0))
    pickle.dump([], storages, 2)
    names = io.BytesIO()
    pickler = pickle.Pickler(names, 2)
    pickler.persistent_id = lambda thing: str(thing.number) if isinstance(thing, _Numbered) else None
    pickler.dump({key: _Numbered(i) for i, key in enumerate(state)})
    with tarfile.open(path, 'w') as tar:
        for name, content in (('sys_info', pickle.dumps({}, 2)), ('pickle', names), ('tensors', tensors),
                              ('storages', storages)):  # fmt: skip
            content = content if isinstance(content, bytes) else content.getvalue()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


class _Numbered:
    def __init__(self, number):
        self.number = number
