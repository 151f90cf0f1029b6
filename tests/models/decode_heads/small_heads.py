"""A small config of every decode head, on the levels that :func:`levels` draws."""

import torch

CHANNELS = (8, 12, 16, 24)
CLASSES = 5
BN = {'type': 'BN', 'requires_grad': True}
ONE = {'in_channels': CHANNELS[3], 'in_index': 3, 'num_classes': CLASSES}
ONE_BN = {**ONE, 'channels': 6, 'norm_cfg': BN}
ALL_BN = {
    'in_channels': CHANNELS,
    'in_index': [0, 1, 2, 3],
    'channels': 6,
    'num_classes': CLASSES,
    'norm_cfg': BN,
}
MLP = {'type': 'mlp', 'act_cfg': None, 'norm_cfg': None}
ASPP = {'type': 'aspp', 'sep': True, 'dilations': [1, 6], 'pool': False, 'norm_cfg': BN}


def daformer(fusion, neck=MLP, embed=MLP, dims=10):
    """A DAFormer head with the given layers."""
    params = {'embed_dims': dims, 'embed_cfg': embed, 'embed_neck_cfg': neck, 'fusion_cfg': fusion}
    return {**ALL_BN, 'type': 'DAFormerHead', 'decoder_params': params}


HEADS = {
    'dlv2': {**ONE, 'type': 'DLV2Head', 'dilations': (2, 3)},
    'dlv2_adapter': {**ONE_BN, 'type': 'DLV2AdapterHead', 'dilations': (1, 2)},
    'fcn': {**ONE_BN, 'type': 'FCNHead'},
    'fcn_resize_concat': {**ALL_BN, 'type': 'FCNHead', 'input_transform': 'resize_concat', 'num_convs': 1},
    'aspp': {**ONE_BN, 'type': 'ASPPHead', 'dilations': (1, 2)},
    'sep_aspp': {
        **ONE_BN,
        'type': 'DepthwiseSeparableASPPHead',
        'dilations': (1, 2),
        'c1_in_channels': CHANNELS[0],
        'c1_channels': 4,
    },
    'sep_aspp_no_c1': {
        **ONE_BN,
        'type': 'DepthwiseSeparableASPPHead',
        'dilations': (1, 2),
        'c1_in_channels': 0,
        'c1_channels': 0,
    },
    'pbal': {
        'type': 'PBALDeepLabV3PlusHead',
        'in_channels': (CHANNELS[0], CHANNELS[3]),
        'in_index': (0, 3),
        'channels': 6,
        'low_channels': 4,
        'dilations': (1, 2),
        'num_classes': CLASSES,
    },
    'proda': {**ONE, 'type': 'ProDAHead', 'channels': 6, 'dilations': (1, 2), 'norm_groups': 3},
    'isa': {**ONE_BN, 'type': 'ISAHead', 'isa_channels': 4, 'down_factor': (2, 3)},
    'da': {**ONE_BN, 'type': 'DAHead', 'pam_channels': 3},
    'psp': {**ONE_BN, 'type': 'PSPHead', 'pool_scales': (1, 2)},
    'uper': {**ALL_BN, 'type': 'UPerHead', 'pool_scales': (1, 2)},
    'segformer': {**ALL_BN, 'type': 'SegFormerHead', 'decoder_params': {'embed_dim': 10}},
    'segformer_k3': {**ALL_BN, 'type': 'SegFormerHead', 'decoder_params': {'embed_dim': 10, 'conv_kernel_size': 3}},
    'daformer_conv': daformer({'type': 'conv', 'kernel_size': 1, 'norm_cfg': BN}, neck='same_as_embed_cfg'),
    'daformer_sep_conv': daformer({'type': 'sep_conv', 'kernel_size': 3, 'norm_cfg': BN}, dims=[10, 8, 6, 4]),
    'daformer_aspp': daformer({**ASPP, 'sep': False, 'pool': True}),
    'daformer_sepaspp': daformer(ASPP),
    'daformer_aspp_context': daformer(
        {**ASPP, 'context_cfg': {'type': 'isa', 'isa_channels': 4, 'down_factor': [2, 2], 'norm_cfg': BN}}
    ),
    'daformer_bottleneck': daformer(
        {'type': 'conv', 'kernel_size': 1, 'norm_cfg': BN}, neck={**ASPP, 'type': 'rawconv_and_aspp', 'kernel_size': 1}
    ),
    'daformer_isa': daformer(
        {'type': 'isa', 'isa_channels': 4, 'down_factor': [4, 4], 'out_cat_and_conv': True, 'norm_cfg': BN}
    ),
    'daformer_id': daformer(
        {'type': 'conv', 'kernel_size': 3, 'norm_cfg': BN}, neck={'type': 'id'}, embed={'type': 'id'}, dims=CHANNELS
    ),
}


def levels(dtype=torch.float32, batch=2):
    """Four levels of an encoder at strides 4, 8, 16, 16 of a 52x72 image: odd sizes on the way."""
    generator = torch.Generator().manual_seed(0)
    sizes = [(13, 18), (7, 9), (4, 5), (4, 5)]
    return [
        torch.randn(batch, channels, *size, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()
        for channels, size in zip(CHANNELS, sizes, strict=True)
    ]


def labels(batch=2, height=52, width=72):
    """Random labels with a share of ignored pixels."""
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(CLASSES, (batch, height, width), generator=generator)
    labels[:, :5] = 255
    return labels
