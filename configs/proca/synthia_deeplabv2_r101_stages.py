# ProCA, whole: SYNTHIA -> Cityscapes, the stages of GTA with other configs.
_base_ = ['gta5_deeplabv2_r101_stages.py']

name = 'synthia_deeplabv2_r101'

stages = dict(
    warmup=dict(train='configs/proca/synthia_deeplabv2_r101_src.py'),
    adapt=dict(train='configs/proca/synthia_deeplabv2_r101_proca.py'),
    self_training=dict(train='configs/proca/synthia_deeplabv2_r101_ssl.py'),
)
