_base_ = ['pmdav2_r101.py']

# PMDAv2 for small GPUs: stride 16 for 8, and strips in 32 groups that reach as far in pixels (48, 80 and 176).
model = dict(
    backbone=dict(strides=(1, 2, 2, 1), dilations=(1, 1, 1, 2)),
    repeat_norm_update=False,
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
            bottleneck_kernel_size=[3, 5, 11],
            branches_groups=32,
            feat_channels=256,
            dropout_ratio=0.1,
            num_classes=19,
            norm_cfg=dict(type='BN', requires_grad=True),
            align_corners=False,
            loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0),
        ),
    ],
)
