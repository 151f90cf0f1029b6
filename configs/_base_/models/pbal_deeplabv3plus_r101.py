_base_ = ['imagenet_input.py']

# PBAL's DeepLab-V3+: stride 16, dilations 2, 4 and 8 in the last stage, full convolutions in the head.
model = dict(
    type='EncoderDecoder',
    pretrained='torchvision://resnet101',
    backbone=dict(
        type='ResNet',
        depth=101,
        num_stages=4,
        out_indices=(0, 3),
        strides=(1, 2, 2, 1),
        dilations=(1, 1, 1, 2),
        # The final dilations of the last stage's blocks.
        multi_grid=(2, 4, 8),
        norm_cfg=dict(type='BN', requires_grad=True),
        norm_eval=False,
        zero_init_residual=False,
        style='pytorch',
    ),
    decode_head=dict(
        type='PBALDeepLabV3PlusHead',
        in_channels=(256, 2048),
        in_index=(0, 1),
        channels=256,
        low_channels=48,
        dilations=(1, 6, 12, 18),
        # Of single elements, not of channels.
        dropout_ratio=0.1,
        num_classes=19,
        norm_cfg=dict(type='BN', requires_grad=True),
        align_corners=True,
        # The mean is over labelled pixels.
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True, loss_weight=1.0),
    ),
    train_cfg={},
    test_cfg=dict(mode='whole', single_resize=True),
)
