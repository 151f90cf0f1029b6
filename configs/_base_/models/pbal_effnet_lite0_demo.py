_base_ = ['imagenet_input.py']

# PBAL's head on a small CNN, with a quarter of the channels.
model = dict(
    type='EncoderDecoder',
    pretrained='pretrained/tf_efficientnet_lite0.pth',
    # Strides 4 and 32.
    backbone=dict(type='TIMMBackbone', model_name='tf_efficientnet_lite0', out_indices=(1, 4)),
    decode_head=dict(
        type='PBALDeepLabV3PlusHead',
        in_channels=(24, 320),
        in_index=(0, 1),
        channels=64,
        low_channels=24,
        # On a map of 8x8.
        dilations=(1, 2, 3),
        dropout_ratio=0.1,
        num_classes=19,
        # After the image pooling a batch of two has but two values per channel, too few for batch norm.
        norm_cfg=dict(type='GN', num_groups=8),
        align_corners=True,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True, loss_weight=1.0),
    ),
    train_cfg={},
    test_cfg=dict(mode='whole', single_resize=True),
)
