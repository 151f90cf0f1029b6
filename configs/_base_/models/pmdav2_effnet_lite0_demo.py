_base_ = ['imagenet_input.py']

# PMDAv2 on a small CNN at stride 16, with an eighth of the channels and grouped strips.
model = dict(
    type='CascadeEncoderDecoder',
    num_stages=2,
    pretrained='pretrained/tf_efficientnet_lite0.pth',
    backbone=dict(type='TIMMBackbone', model_name='tf_efficientnet_lite0', out_indices=(1, 2, 3, 4), output_stride=16),
    repeat_norm_update=False,
    decode_head=[
        dict(
            type='FCNHead',
            in_channels=112,
            in_index=2,
            channels=64,
            num_convs=1,
            concat_input=False,
            dropout_ratio=0.1,
            num_classes=19,
            norm_cfg=dict(type='BN', requires_grad=True),
            align_corners=False,
            loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=0.4),
        ),
        dict(
            type='PMDAV2',
            in_channels=320,
            in_index=3,
            channels=64,
            # 48, 80 and 112 of the crop's 256 pixels.
            bottleneck_kernel_size=[3, 5, 7],
            branches_groups=20,
            feat_channels=32,
            dropout_ratio=0.1,
            num_classes=19,
            norm_cfg=dict(type='BN', requires_grad=True),
            align_corners=False,
            loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0),
        ),
    ],
    train_cfg={},
    test_cfg=dict(mode='whole'),
)
