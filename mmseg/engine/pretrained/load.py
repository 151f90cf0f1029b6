"""Loading an encoder's weights from a file, whatever its layout."""

from __future__ import annotations

import logging
from collections.abc import Container, Mapping
from dataclasses import replace
from pathlib import Path

from mmengine.logging import print_log
from torch import Tensor, nn

from mmseg.engine.legacy_checkpoint import load_strictly
from mmseg.engine.pretrained.files import read_tensors
from mmseg.engine.pretrained.find import find_pretrained
from mmseg.engine.pretrained.layouts import CLASSIFIERS, Encoder, recognise
from mmseg.engine.pretrained.networks import network_of
from mmseg.engine.pretrained.segmentation import segmentation_note


def load_pretrained(module: nn.Module, source: str) -> None:
    """Load an encoder's weights. The classifier they were trained with is dropped; everything else must fit.

    Args:
        module: an encoder with the official key names, or with names of its own and a file of these.
        source: see :func:`find_pretrained`.

    Raises:
        FileNotFoundError: if the file is missing; says where it goes and where it is published.
        ValueError: if it is no file of weights, or does not fit.
    """
    path = find_pretrained(source)
    own = module.state_dict()
    state = read_pretrained(path, own)
    load_complete(module, {key: state[key] for key in state if key in own or not key.startswith(CLASSIFIERS)}, path)


def read_pretrained(path: Path, own: Container[str] | None = None) -> dict[str, Tensor]:
    """The encoder in a file, its classifier included, in the layout of our encoders where theirs is known.

    Args:
        path: of the file.
        own: keys of the network that will get them; None = one of ours.
    """
    encoder = read_encoder(path, own)
    if encoder.segmentation:
        _warn(f'{path}: not ImageNet weights but {encoder.segmentation}')
    elif encoder.others:
        _warn(f'{path}: {len(encoder.others)} tensors beside the encoder are left out (e.g. {encoder.others[0]})')
    return encoder.state


def _warn(finding: str) -> None:
    text = f"{finding}; make sure that it has not seen the target domain's labels"
    print_log(text, logger='current', level=logging.WARNING)


def read_encoder(path: Path, own: Container[str] | None = None, trust: bool = False) -> Encoder:
    """The same with what was found out about the file.

    Args:
        path: of the file.
        own: see :func:`read_pretrained`.
        trust: read files that need pickle, which can run any code.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no file of weights, or several encoders in it.
    """
    tensors, meta = read_tensors(path, trust)
    try:
        return replace(recognise(tensors, own), segmentation=segmentation_note(tensors, meta))
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None


def load_complete(module: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    """Strict loading; batch counters, which files of old PyTorch versions lack, may be missing.

    Raises:
        ValueError: naming the file, the network it is for if it is another, else the keys that do not fit.
    """
    own = module.state_dict()
    counters = {key: value for key, value in own.items() if key.endswith('num_batches_tracked')}
    try:
        load_strictly(module, counters | dict(state))
    except ValueError as error:
        theirs, ours = network_of(state), network_of(own)
        if theirs and ours and theirs != ours:
            raise ValueError(
                f'{path}: weights of {theirs}, but the network is {ours} (docs/weights.md lists files that fit)'
            ) from None
        raise ValueError(f'{path}: {error}') from None
