_base_ = ['imagenet_input.py']

# DAFormer's head on a small CNN, with a quarter of the channels.
model = dict(
    type='EncoderDecoder',
    pretrained='pretrained/tf_efficientnet_lite0.pth',
    # Strides 4, 8, 16 and 32.
    backbone=dict(type='TIMMBackbone', model_name='tf_efficientnet_lite0', out_indices=(1, 2, 3, 4)),
    decode_head=dict(
        type='DAFormerHead',
        in_channels=[24, 40, 112, 320],
        in_index=[0, 1, 2, 3],
        channels=64,
        dropout_ratio=0.1,
        num_classes=19,
        norm_cfg=dict(type='BN', requires_grad=True),
        align_corners=False,
        decoder_params=dict(
            embed_dims=64,
            embed_cfg=dict(type='mlp', act_cfg=None, norm_cfg=None),
            embed_neck_cfg=dict(type='mlp', act_cfg=None, norm_cfg=None),
            # One convolution: half the time per iteration of the published separable ASPP.
            fusion_cfg=dict(
                type='conv',
                kernel_size=3,
                act_cfg=dict(type='ReLU'),
                norm_cfg=dict(type='BN', requires_grad=True),
            ),
        ),
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0),
    ),
    train_cfg={},
    test_cfg=dict(mode='whole'),
)
