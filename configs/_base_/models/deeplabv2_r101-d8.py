_base_ = ['imagenet_input.py']

# DeepLabV2 on torchvision's ResNet-101: 7x7 stem, stride 8, aligned corners.
model = dict(
    type='EncoderDecoder',
    pretrained='torchvision://resnet101',
    backbone=dict(
        type='ResNet',
        depth=101,
        num_stages=4,
        out_indices=(3,),
        dilations=(1, 1, 2, 4),
        strides=(1, 2, 1, 1),
        norm_cfg=dict(type='BN', requires_grad=True),
        norm_eval=False,
        zero_init_residual=False,
        style='pytorch',
        contract_dilation=True,
    ),
    decode_head=dict(
        type='DLV2Head',
        in_channels=2048,
        in_index=0,
        dilations=(6, 12, 18, 24),
        num_classes=19,
        align_corners=True,
        init_cfg=dict(type='Normal', std=0.01, override=dict(name='aspp_modules')),
        # The mean is over labelled pixels.
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True, loss_weight=1.0),
    ),
    train_cfg={},
    # Logits go to the labels' size at once; --tta resizes the normalised image.
    test_cfg=dict(mode='whole', single_resize=True, tta='tensors'),
)
