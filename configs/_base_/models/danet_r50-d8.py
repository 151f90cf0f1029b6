_base_ = ['resnetv1c50_d8.py']

model = dict(
    decode_head=dict(
        type='DAHead',
        channels=512,
        pam_channels=64,
        dropout_ratio=0.1,
        norm_cfg=dict(type='BN', requires_grad=True),
    )
)
