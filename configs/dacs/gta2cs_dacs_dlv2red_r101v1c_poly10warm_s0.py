# DACS (arXiv:2007.08702) as the baseline of DAFormer, DeepLabV2, GTA to Cityscapes.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/deeplabv2red_r50-d8.py',
    '../_base_/datasets/uda_gta_to_cityscapes_512x512.py',
    '../_base_/uda/dacs.py',
    '../_base_/schedules/adamw.py',
    '../_base_/schedules/poly10warm.py',
]

# The encoder of all published DeepLabV2 runs is ResNet-101.
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))

optim_wrapper = dict(optimizer=dict(lr=6e-5), paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=10.0))))

seed = 0
n_gpus = 1
name = 'gta2cs_dacs_dlv2red_r101v1c_poly10warm_s0'
exp = 1
name_dataset = 'gta2cityscapes'
name_architecture = 'dlv2red_r101v1c'
name_encoder = 'r101v1c'
name_decoder = 'dlv2red'
name_uda = 'dacs'
name_opt = 'adamw_6e-05_pmTrue_poly10warm_1x2_40k'
