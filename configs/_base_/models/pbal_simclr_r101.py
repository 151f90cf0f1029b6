_base_ = ['pbal_deeplabv3plus_r101.py']

# PBAL's network on self-supervised weights, which want images in 0..1, and a batch norm for their features' scale.
model = dict(
    data_preprocessor=dict(mean=[0.0, 0.0, 0.0], std=[255.0, 255.0, 255.0]),
    pretrained='pretrained/simclr_r101_1x_sk0.pth',
    neck=dict(type='LevelNorm', channels=2048, norm_cfg=dict(type='BN', requires_grad=True)),
)
