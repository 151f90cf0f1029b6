_base_ = ['resnetv1c50_d8.py']

model = dict(
    decode_head=dict(
        type='DepthwiseSeparableASPPHead',
        channels=512,
        dilations=(1, 12, 24, 36),
        c1_in_channels=256,
        c1_channels=48,
        dropout_ratio=0.1,
        norm_cfg=dict(type='BN', requires_grad=True),
    )
)
