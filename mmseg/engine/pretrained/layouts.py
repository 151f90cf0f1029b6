"""Recognising the layout of a file of weights by its keys, and bringing it to that of our encoders."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass

from torch import Tensor

from mmseg.engine.pretrained.layouts_mit import (
    convert_hugging_face_mit,
    convert_new_hugging_face_mit,
    convert_openmmlab_mit,
)
from mmseg.engine.pretrained.layouts_resnet import (
    convert_mmpretrain_deep_stem,
    convert_simclr,
    convert_timm_deep_stem,
)

Convert = Callable[[Mapping[str, Tensor]], dict[str, Tensor]]
CLASSIFIERS = ('head.', 'fc.', 'classifier.')


@dataclass(frozen=True)
class Layout:
    """A way to name the layers of a network.

    Attributes:
        name: of those who publish it.
        signature: keys that this layout alone has together; what stands before the first is the encoder's prefix.
        native: a key of those networks of ours that the conversion is meant for. The same file may also fit a network
            of timm as it is.
        convert: to our names; None if they are these.
    """

    name: str
    signature: tuple[str, ...]
    native: str
    convert: Convert | None = None


_MIT = 'patch_embed1.proj.weight'
_RESNET = 'layer1.0.conv1.weight'
LAYOUTS = (
    Layout('SegFormer (NVlabs, segmentation-models-pytorch)', (_MIT,), _MIT),
    Layout('OpenMMLab', ('layers.0.0.projection.weight',), _MIT, convert_openmmlab_mit),
    Layout('Hugging Face transformers', ('patch_embeddings.0.proj.weight',), _MIT, convert_hugging_face_mit),
    Layout(
        'Hugging Face transformers, in memory',
        ('stages.0.patch_embeddings.proj.weight',),
        _MIT,
        convert_new_hugging_face_mit,
    ),
    Layout('torchvision', (_RESNET, 'conv1.weight'), 'conv1.weight'),
    Layout('OpenMMLab', (_RESNET, 'stem.0.weight'), 'stem.0.weight'),
    Layout(
        'SimCLRv2 (converted from TensorFlow)',
        ('net.0.0.weight', 'net.1.blocks.0.net.0.weight'),
        'conv1.weight',
        convert_simclr,
    ),
    Layout('OpenMMLab (mmpretrain)', (_RESNET, 'stem.0.conv.weight'), 'stem.0.weight', convert_mmpretrain_deep_stem),
    Layout('timm', (_RESNET, 'conv1.0.weight'), 'stem.0.weight', convert_timm_deep_stem),
)


@dataclass(frozen=True)
class Encoder:
    """An encoder's tensors as a file holds them.

    Attributes:
        layout: how they were named; None if it is none that we know.
        prefix: that stood before their names.
        state: the tensors, under the network's names where the layout is known, a classifier at their end included.
        found: how many tensors the encoder has in the file; other layouts cut them in other places.
        head: keys of classifiers in the file, under the file's names.
        others: keys of whatever else lies beside the encoder, e.g. the decoder of a segmentation network.
        segmentation: the segmentation network that it was trained in, in words; None for others.
    """

    layout: Layout | None
    prefix: str
    state: dict[str, Tensor]
    found: int
    head: tuple[str, ...]
    others: tuple[str, ...]
    segmentation: str | None = None


def recognise(tensors: Mapping[str, Tensor], own: Container[str] | None = None) -> Encoder:
    """The encoder in a file.

    Args:
        tensors: of the file, by name.
        own: keys of the network that they are meant for; None = one of ours.

    Raises:
        ValueError: if there are several encoders (student and teacher of a training checkpoint).
    """
    layout, prefix = _layout_of(tensors)
    if layout is None and any(key.startswith('backbone.') for key in tensors):
        prefix = 'backbone.'
    inside = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    outside = [key for key in tensors if not key.startswith(prefix)]
    found = len(inside)
    if layout is not None and layout.convert is not None and (own is None or layout.native in own):
        inside = layout.convert(inside)
    heads = [prefix + key for key in inside if key.startswith(CLASSIFIERS)]
    heads += [key for key in outside if key.startswith(CLASSIFIERS)]
    return Encoder(layout, prefix, inside, found, tuple(heads), tuple(key for key in outside if key not in heads))


def _layout_of(tensors: Mapping[str, Tensor]) -> tuple[Layout | None, str]:
    for layout in LAYOUTS:
        first = layout.signature[0]
        prefixes = [key.removesuffix(first) for key in tensors if key == first or key.endswith(f'.{first}')]
        complete = [prefix for prefix in prefixes if all(prefix + key in tensors for key in layout.signature)]
        if len(complete) > 1:
            names = ', '.join(prefix.removesuffix('.') or 'without prefix' for prefix in complete)
            raise ValueError(
                f'holds {len(complete)} encoders ({names}): a checkpoint of a training is given as load_from'
            )
        if complete:
            return layout, complete[0]
    return None, ''
