_base_ = ['imagenet_input.py']

# PMDAv2 as published: a coarse head on stage 3, whose scores weight the pixels of stage 4 into class prototypes.
model = dict(
    type='CascadeEncoderDecoder',
    num_stages=2,
    pretrained='open-mmlab://resnet101_v1c',
    backbone=dict(
        type='ResNetV1c',
        depth=101,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        dilations=(1, 1, 2, 4),
        strides=(1, 2, 1, 1),
        norm_cfg=dict(type='BN', requires_grad=True),
        norm_eval=False,
        style='pytorch',
        contract_dilation=True,
    ),
    decode_head=[
        dict(
            type='FCNHead',
            in_channels=1024,
            in_index=2,
            channels=256,
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
            in_channels=2048,
            in_index=3,
            channels=512,
            # Strips that reach over 56, 88 and 168 pixels. Dense ones are 328 of the network's 374 million parameters.
            bottleneck_kernel_size=[7, 11, 21],
            branches_groups=1,
            feat_channels=256,
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
