"""Key layouts of published Mix Transformer weights.

Ours is the official one of NVlabs, which segmentation-models-pytorch keeps too. The others name the layers anew and
cut queries, keys and values in other places: the official ``attn.kv`` is keys on top of values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

_OPENMMLAB_BLOCK = (
    ('.attn.attn.out_proj.', '.attn.proj.'),
    ('.ffn.layers.0.', '.mlp.fc1.'),
    ('.ffn.layers.1.', '.mlp.dwconv.dwconv.'),
    ('.ffn.layers.4.', '.mlp.fc2.'),
)
_HUGGING_FACE_BLOCK = (
    ('.attention.self.query.', '.attn.q.'),
    ('.attention.self.sr.', '.attn.sr.'),
    ('.attention.self.layer_norm.', '.attn.norm.'),
    ('.attention.output.dense.', '.attn.proj.'),
    ('.layer_norm_', '.norm'),
    ('.mlp.dense', '.mlp.fc'),
)


# What transformers >= 5 calls its layers in memory. It still writes files under the names that it always had.
_NEW_HUGGING_FACE = (
    (r'^stages\.(\d+)\.blocks\.', r'block.\1.'),
    (r'^stages\.(\d+)\.(patch_embeddings|layer_norm)\.', r'\2.\1.'),
    (r'\.layernorm_before\.', '.layer_norm_1.'),
    (r'\.layernorm_after\.', '.layer_norm_2.'),
    (r'\.attention\.q_proj\.', '.attention.self.query.'),
    (r'\.attention\.k_proj\.', '.attention.self.key.'),
    (r'\.attention\.v_proj\.', '.attention.self.value.'),
    (r'\.attention\.o_proj\.', '.attention.output.dense.'),
    (r'\.sequence_reduction\.sequence_reduction\.', '.self.sr.'),
    (r'\.sequence_reduction\.layer_norm\.', '.self.layer_norm.'),
    (r'\.mlp\.fc([12])\.', r'.mlp.dense\1.'),
)


def convert_openmmlab_mit(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights from the layout of mmsegmentation >= 0.19 (``layers.0.1.0.attn.attn.in_proj_weight``); other keys stay.

    Queries, keys and values lie in one matrix there (the first third of the rows are the queries), and the linear
    layers of the feed-forward part are 1x1 convolutions.
    """
    converted = {}
    for key, value in state.items():
        found = re.fullmatch(r'layers\.(\d+)\.(\d+)\.(.+)', key)
        if found is None:
            converted[key] = value
            continue
        stage, part, rest = int(found[1]) + 1, int(found[2]), found[3]
        if part == 0:
            converted[f'patch_embed{stage}.{rest.replace("projection.", "proj.")}'] = value
        elif part == 2:
            converted[f'norm{stage}.{rest}'] = value
        else:
            converted |= _openmmlab_block(f'block{stage}.', rest, value)
    return converted


def _openmmlab_block(prefix: str, key: str, value: Tensor) -> dict[str, Tensor]:
    joint = re.fullmatch(r'(\d+)\.attn\.attn\.in_proj_(weight|bias)', key)
    if joint is not None:
        query, key_value = torch.split(value, [len(value) // 3, len(value) - len(value) // 3])
        attention = f'{prefix}{joint[1]}.attn.'
        return {f'{attention}q.{joint[2]}': query, f'{attention}kv.{joint[2]}': key_value}
    key = _renamed(key, _OPENMMLAB_BLOCK)
    if re.search(r'\.mlp\.fc[12]\.weight$', key):
        value = value.flatten(1)
    return {prefix + key: value}


def convert_hugging_face_mit(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights from the layout of ``transformers`` (``block.0.0.attention.self.query.weight``); other keys stay.

    Keys and values are two layers there.
    """
    converted = {}
    for key, value in state.items():
        part = re.fullmatch(r'(patch_embeddings|layer_norm|block)\.(\d+)\.(.+)', key)
        if part is None:
            converted[key] = value
            continue
        stage, rest = int(part[2]) + 1, part[3]
        if part[1] == 'patch_embeddings':
            converted[f'patch_embed{stage}.{rest.replace("layer_norm.", "norm.")}'] = value
        elif part[1] == 'layer_norm':
            converted[f'norm{stage}.{rest}'] = value
        elif '.attention.self.key.' in rest:
            values = state.get(key.replace('.self.key.', '.self.value.'))
            if values is not None:
                name = rest.replace('.attention.self.key.', '.attn.kv.')
                converted[f'block{stage}.{name}'] = torch.cat([value, values])
        elif '.attention.self.value.' not in rest:
            converted[f'block{stage}.{_renamed(rest, _HUGGING_FACE_BLOCK)}'] = value
    return converted


def convert_new_hugging_face_mit(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights from the state dict of a network of transformers >= 5 (``stages.0.blocks.0.attention.q_proj.weight``)."""
    renamed = {}
    for key, value in state.items():
        for theirs, ours in _NEW_HUGGING_FACE:
            key = re.sub(theirs, ours, key)
        renamed[key] = value
    return convert_hugging_face_mit(renamed)


def _renamed(key: str, names: tuple[tuple[str, str], ...]) -> str:
    for theirs, ours in names:
        key = key.replace(theirs, ours)
    return key
