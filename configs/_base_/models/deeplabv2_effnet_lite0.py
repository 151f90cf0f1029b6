_base_ = ['imagenet_input.py']

# DeepLabV2's reduced head on a small CNN, at stride 16.
model = dict(
    type='EncoderDecoder',
    pretrained='pretrained/tf_efficientnet_lite0.pth',
    backbone=dict(type='TIMMBackbone', model_name='tf_efficientnet_lite0', out_indices=(1, 2, 3, 4), output_stride=16),
    decode_head=dict(
        type='DLV2Head',
        in_channels=320,
        in_index=3,
        dilations=(6, 12),
        num_classes=19,
        align_corners=False,
        init_cfg=dict(type='Normal', std=0.01, override=dict(name='aspp_modules')),
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0),
    ),
    train_cfg={},
    test_cfg=dict(mode='whole'),
)
