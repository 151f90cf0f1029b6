# ProDA's DeepLab-V2: stride 8, the stride of a block in its first convolution, images in 0..1.
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor', mean=[0.0, 0.0, 0.0], std=[255.0, 255.0, 255.0], bgr_to_rgb=True
    ),
    pretrained='torchvision://resnet101',
    backbone=dict(
        type='ResNet',
        depth=101,
        num_stages=4,
        out_indices=(3,),
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        norm_cfg=dict(type='BN', requires_grad=True),
        norm_eval=False,
        zero_init_residual=False,
        style='caffe',
        ceil_pool=True,
    ),
    decode_head=dict(
        type='ProDAHead',
        in_channels=2048,
        in_index=0,
        channels=256,
        dilations=(1, 6, 12, 18, 24),
        dropout_ratio=0.1,
        num_classes=19,
        align_corners=True,
        # The mean is over labelled pixels.
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True, loss_weight=1.0),
    ),
    train_cfg={},
    test_cfg=dict(mode='whole', single_resize=True),
)
