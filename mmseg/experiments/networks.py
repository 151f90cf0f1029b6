"""Published names of encoders and decoders -> a base config of ``configs/_base_/models/`` and changes to it."""

from __future__ import annotations

import re
from typing import Any

import mmengine

from mmseg.engine.errors import ROOT
from mmseg.experiments.grid import Training, Unknown

Config = dict[str, Any]

RESNET_BASES = {
    'dlv2': 'deeplabv2_r50-d8',
    'dlv2red': 'deeplabv2red_r50-d8',
    'dlv3p': 'deeplabv3plus_r50-d8',
    'da': 'danet_r50-d8',
    'isa': 'isanet_r50-d8',
}
SPLIT_ATTENTION = {'type': 'ResNeSt', 'radix': 2, 'reduction_factor': 4, 'avg_down_stride': True}
RESNETS: dict[str, tuple[str, Config]] = {
    'r50v1c': ('resnet50_v1c', {'depth': 50}),
    'r101v1c': ('resnet101_v1c', {'depth': 101}),
    'x50-32': ('resnext50_32x4d', {'type': 'ResNeXt', 'depth': 50, 'groups': 32, 'base_width': 4}),
    'x101-32': ('resnext101_32x4d', {'type': 'ResNeXt', 'depth': 101, 'groups': 32, 'base_width': 4}),
    's50': ('resnest50', {**SPLIT_ATTENTION, 'depth': 50, 'stem_channels': 64}),
    's101': ('resnest101', {**SPLIT_ATTENTION, 'depth': 101, 'stem_channels': 128}),
    's200': ('resnest200', {**SPLIT_ATTENTION, 'depth': 200, 'stem_channels': 128}),
}
PYRAMID_BASES = {
    'segformer': 'segformer_b5',
    'upernet': 'upernet_mit',
    'upernet_ch256': 'upernet_ch256_mit',
    **{f'daformer_{fusion}': f'daformer_{fusion}_mitb5' for fusion in (
        'conv1', 'aspp', 'sepaspp', 'sepaspp_bottleneck', 'isa',
    )},
}  # fmt: skip
MIT_B0_WIDTHS = [32, 64, 160, 256]
RESNET_WIDTHS = [256, 512, 1024, 2048]
RESNET_FILE = ROOT / 'configs/_base_/models/resnetv1c50_d8.py'
SINGLE_SCALE_HEADS = {
    'daformer': 'DAFormerHead',
    'dlv2': 'DLV2Head',
    'dlv2red': 'DLV2Head',
    'segformer': 'SegFormerHead',
    'isa': 'ISAHead',
    'da': 'DAHead',
    'dlv3p': 'DepthwiseSeparableASPPHead',
}
HRDA = re.compile(r'hrda1-(?P<crop>\d+)-(?P<weight>[\d.]+)(?P<options>(-[a-z0-9.]+)*)_')


def network(training: Training) -> tuple[str, Config]:
    """The base file (without ``.py``) and the changes to ``model`` for a training.

    Raises:
        Unknown: an encoder, decoder or option that has no config.
    """
    decoder, changes = training.architecture, {}
    hrda = HRDA.match(decoder)
    if hrda:
        decoder = decoder[hrda.end() :]
    elif decoder.startswith('hrda'):
        raise Unknown(
            f'architecture {decoder!r}; HRDA is written hrda1-<detail crop>-<loss weight>[-<option>]_<decoder>'
        )
    adapter, decoder = decoder.startswith('sfa_'), decoder.removeprefix('sfa_')
    without_norm, decoder = decoder.endswith('_nodbn'), decoder.removesuffix('_nodbn')
    base = _base_file(decoder, training.backbone)
    head: Config = {}
    changes |= _encoder(training.backbone)
    if base in PYRAMID_BASES.values():
        head |= _fit_pyramid(training.backbone, changes)
    if adapter:
        changes['neck'] = {'type': 'SegFormerAdapter'}
        head['in_channels'] = 512
        if decoder == 'dlv3p':
            head['c1_in_channels'] = 64
    if without_norm:
        head['norm_cfg'] = None
    if hrda:
        own, of_head = _two_scales(hrda, decoder, training)
        changes |= own
        head |= of_head
    if training.slide:
        height, width = training.outer_crop
        changes['test_cfg'] = {
            'mode': 'slide',
            'batched_slide': True,
            'stride': [height // 2, width // 2],
            'crop_size': [height, width],
        }
    if head:
        changes['decode_head'] = head
    return base, changes


def _base_file(decoder: str, backbone: str) -> str:
    if decoder == 'segformer' and backbone in RESNETS:
        return 'segformer_r101'
    bases = {**PYRAMID_BASES, **RESNET_BASES}
    if decoder not in bases:
        raise Unknown(f'no base config for decoder {decoder!r}; known: {", ".join(bases)}')
    return bases[decoder]


def _fit_pyramid(encoder: str, model: Config) -> Config:
    """Settings of a head of four levels over a base with MiT-B5; an encoder of another kind replaces that whole."""
    if encoder in RESNETS:
        resnet = mmengine.Config.fromfile(RESNET_FILE).model.backbone.to_dict()
        model['backbone'] = {'_delete_': True, **resnet, **model['backbone']}
        return {'in_channels': RESNET_WIDTHS}
    return {'in_channels': MIT_B0_WIDTHS} if encoder.startswith('mitb0') else {}


def _encoder(name: str) -> Config:
    if transformer := re.fullmatch(r'mitb([0-5])(-del)?', name):
        size, replaces = transformer.groups()
        # In place of a ResNet all of the base's settings go.
        backbone: Config = {'_delete_': True} if replaces else {}
        backbone['type'] = f'mit_b{size}'
        return {'pretrained': f'pretrained/mit_b{size}.pth', 'backbone': backbone}
    if name not in RESNETS:
        raise Unknown(f'no encoder {name!r}; known: mitb0 to mitb5, {", ".join(RESNETS)}')
    weights, backbone = RESNETS[name]
    return {'pretrained': f'open-mmlab://{weights}', 'backbone': dict(backbone)}


def _two_scales(hrda: re.Match[str], decoder: str, training: Training) -> tuple[Config, Config]:
    """HRDA's settings of segmentor and head."""
    crop, weight = int(hrda['crop']), float(hrda['weight'])
    own: Config = {
        'type': 'HRDAEncoderDecoder',
        'scales': [1, 0.5],
        'hr_crop_size': [crop, crop],
        'feature_scale': 0.5,
        'crop_coord_divisible': 8,
        'hr_slide_inference': True,
    }
    head: Config = {
        'type': 'HRDAHead',
        'single_scale_head': _single_scale_head(decoder),
        'attention_classwise': True,
        'hr_loss_weight': weight,
    }
    if training.outer_crop == (crop, crop):
        head['lr_loss_weight'] = weight
        if '_fd' in training.uda:
            own['feature_scale'] = 'all'
    for option in hrda['options'].split('-')[1:]:
        _apply_option(option, own, head)
    return own, head


def _apply_option(option: str, own: Config, head: Config) -> None:
    if option == 'fixedatt':
        head['fixed_attention'] = 0.5
    elif option == 'nooverlap':
        own['hr_slide_overlapping'] = False
    elif option == 'singleatt':
        head['attention_classwise'] = False
    elif option == 'blurhr':
        own['blur_hr_crop'] = True
    elif option == 'samescale':
        own |= {'scales': [1, 1], 'feature_scale': 1}
    elif option.startswith('sc'):
        scale = float(option.removeprefix('sc'))
        own['scales'] = [1, scale]
        if own['feature_scale'] != 'all':
            own['feature_scale'] = scale
    else:
        raise Unknown(f'HRDA option {option!r}; known: fixedatt, nooverlap, singleatt, blurhr, samescale, sc<scale>')


def _single_scale_head(decoder: str) -> str:
    family = decoder.partition('_')[0]
    if family not in SINGLE_SCALE_HEADS:
        raise Unknown(f'HRDA over decoder {decoder!r}; known: {", ".join(SINGLE_SCALE_HEADS)}')
    return SINGLE_SCALE_HEADS[family]
