_base_ = ['proda_r101.py']

# The student of the distillation: self-supervised weights, and a batch norm (bn_clr) for their features' scale.
model = dict(
    pretrained='pretrained/simclr_r101_1x_sk0.pth',
    neck=dict(type='LevelNorm', channels=2048, norm_cfg=dict(type='BN', requires_grad=True)),
)
