"""Saying what a file of weights holds, and whether a network takes it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from mmseg.engine.checkpoint_file import write_checkpoint
from mmseg.engine.errors import clear_config_errors
from mmseg.engine.pretrained.files import read_tensors
from mmseg.engine.pretrained.load import read_encoder
from mmseg.engine.pretrained.networks import network_of
from mmseg.engine.pretrained.segmentation import NOTE, segmentation_note
from mmseg.registry import MODELS


@dataclass(frozen=True)
class Contents:
    """What was found in a file of weights.

    Attributes:
        path: of the file.
        layout: who names the layers so, or that nobody we know does.
        prefix: in front of the encoder's keys.
        network: the encoder in words; None if its kind is not known.
        tensors: of the encoder, as the file counts them.
        left_out: keys that are not loaded: the classifier, and what lies beside the encoder.
        segmentation: the segmentation network that it was trained in, in words; None for others.
    """

    path: Path
    layout: str
    prefix: str
    network: str | None
    tensors: int
    left_out: tuple[str, ...]
    segmentation: str | None = None

    def lines(self) -> list[tuple[str, str]]:
        """Label and text of each finding, to be shown below each other."""
        layout = f'{self.layout}, keys below {self.prefix}' if self.prefix else self.layout
        shown = ', '.join(self.left_out[:4]) + (', ...' if len(self.left_out) > 4 else '')
        note = [('note', f'not ImageNet weights but {self.segmentation}')] if self.segmentation else []
        return [
            ('layout', layout),
            ('network', self.network or 'of another kind'),
            ('used', f'{self.tensors} tensors'),
            ('left out', f'{len(self.left_out)} ({shown})' if self.left_out else 'nothing'),
            *note,
        ]


def read_contents(path: Path, trust: bool = False) -> Contents:
    """Read a file and recognise it.

    Args:
        path: of the file.
        trust: read files that need pickle, which can run any code.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no file of weights, or several encoders in it.
    """
    encoder = read_encoder(path, trust=trust)
    heads = sum(key.startswith(encoder.prefix) for key in encoder.head)
    return Contents(
        path=path,
        layout=encoder.layout.name if encoder.layout else 'none that is known; keys must be those of the network',
        prefix=encoder.prefix,
        network=network_of(encoder.state),
        tensors=encoder.found - heads,
        left_out=(*encoder.head, *encoder.others),
        segmentation=encoder.segmentation,
    )


def load_into(network: Mapping[str, Any], path: Path, trust: bool = False) -> nn.Module:
    """Build an encoder and load a file just as training does.

    Args:
        network: config of the encoder.
        path: of the file.
        trust: read files that need pickle, which can run any code.

    Raises:
        ValueError: the config is wrong, or the file does not fit.
    """
    if trust:
        return _load_plain_copy(network, path)
    config = {**network, 'pretrained': str(path)}
    with clear_config_errors(config):
        backbone = MODELS.build(config)
    backbone.init_weights()
    return backbone


def _load_plain_copy(network: Mapping[str, Any], path: Path) -> nn.Module:
    """Training trusts no file: it gets the tensors alone."""
    with tempfile.TemporaryDirectory(prefix='get_pretrained_') as folder:
        copy = Path(folder) / path.name
        tensors, meta = read_tensors(path, trust=True)
        note = segmentation_note(tensors, meta)
        write_checkpoint(copy, {'state_dict': tensors, 'meta': {NOTE: note} if note else {}})
        try:
            return load_into(network, copy)
        except ValueError as error:
            raise ValueError(str(error).replace(str(copy), str(path))) from None


def backbone_config(model: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The encoder's config in that of a segmentor, and the pretrained weights that either names."""
    backbone = dict(model['backbone'])
    source = backbone.pop('pretrained', None) or model.get('pretrained')
    return backbone, source
