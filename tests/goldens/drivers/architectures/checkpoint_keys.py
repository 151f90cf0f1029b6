"""Renaming of checkpoint keys, and MiT's ImageNet weights in the layout of present mmsegmentation."""

import re

import torch

from mmseg.engine.legacy_checkpoint import select_segmentor_state
from mmseg.engine.pretrained import convert_openmmlab_mit
from tests.goldens.drivers.self_training.checkpoint_keys import check
from tests.goldens.harness import state_tensors


def run(case):
    for entry in case.meta.get('revise', []):
        check(entry['stored'], entry['loaded_for_test'])
        if not entry['kept_when_published']:
            assert not select_segmentor_state({entry['stored']: None})
    if 'mit' in case.meta:
        _compare_mit(state_tensors(case.inputs['official']), case.meta['mit']['converted'])


def _compare_mit(official, recorded):
    """There and back: the layout rebuilt here must be the recorded one, and our conversion must undo it."""
    official = {key: value for key, value in official.items() if not key.startswith('head.')}
    foreign = _to_openmmlab(official)
    assert set(foreign) == set(recorded)
    for key, (shape, total) in recorded.items():
        assert list(foreign[key].shape) == shape, key
        assert abs(float(foreign[key].sum()) - total) <= 1e-4 * max(1, foreign[key].numel() ** 0.5), key
    ours = convert_openmmlab_mit(foreign)
    assert set(ours) == set(official)
    for key, value in official.items():
        assert torch.equal(ours[key], value), key


RENAMED = (
    (r'patch_embed(\d)\.proj\.', '{}.0.projection.'),
    (r'patch_embed(\d)\.norm\.', '{}.0.norm.'),
    (r'norm(\d)\.', '{}.2.'),
    (r'block(\d)\.', '{}.1.'),
)
RENAMED_IN_BLOCK = (
    ('.attn.proj.', '.attn.attn.out_proj.'),
    ('.mlp.fc1.', '.ffn.layers.0.'),
    ('.mlp.fc2.', '.ffn.layers.4.'),
    ('.mlp.dwconv.dwconv.', '.ffn.layers.1.'),
)


def _to_openmmlab(official):
    foreign = {}
    for key, value in official.items():
        if '.attn.q.' in key:
            value = torch.cat([value, official[key.replace('.q.', '.kv.')]])
        elif '.attn.kv.' in key:
            continue
        elif re.search(r'\.fc[12]\.weight', key):
            value = value[:, :, None, None]
        foreign[_openmmlab_key(key)] = value
    return foreign


def _openmmlab_key(key):
    for pattern, replacement in RENAMED:
        found = re.match(pattern, key)
        if found:
            key = 'layers.' + replacement.format(int(found[1]) - 1) + key[found.end() :]
            break
    for ours, theirs in RENAMED_IN_BLOCK:
        key = key.replace(ours, theirs)
    return re.sub(r'\.attn\.q\.(weight|bias)', r'.attn.attn.in_proj_\1', key)
