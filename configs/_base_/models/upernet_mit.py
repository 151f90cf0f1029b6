_base_ = ['imagenet_input.py']

# Sizes of MiT-b1 to b5; a config that uses this file names the backbone and its weights.
model = dict(
    type='EncoderDecoder',
    pretrained=None,
    backbone=dict(type='mit_b5', style='pytorch'),
    decode_head=dict(
        type='UPerHead',
        in_channels=[64, 128, 320, 512],
        in_index=[0, 1, 2, 3],
        pool_scales=(1, 2, 3, 6),
        channels=512,
        dropout_ratio=0.1,
        num_classes=19,
        norm_cfg=dict(type='BN', requires_grad=True),
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0),
    ),
    train_cfg={},
    test_cfg=dict(mode='whole'),
)
