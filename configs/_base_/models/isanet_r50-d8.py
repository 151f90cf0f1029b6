_base_ = ['resnetv1c50_d8.py']

model = dict(
    decode_head=dict(
        type='ISAHead',
        channels=512,
        isa_channels=256,
        down_factor=(8, 8),
        dropout_ratio=0.1,
        norm_cfg=dict(type='BN', requires_grad=True),
    )
)
