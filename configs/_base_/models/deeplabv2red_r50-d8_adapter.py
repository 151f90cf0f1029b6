_base_ = ['resnetv1c50_d8.py']

# DDB's network: two dilated branches of 128 channels, a 3x3 convolution over both, one 1x1 classifier.
model = dict(
    decode_head=dict(
        type='DLV2AdapterHead',
        channels=256,
        dilations=(6, 12),
        dropout_ratio=0.1,
        norm_cfg=dict(type='BN', requires_grad=True),
    )
)
