# No adaptation: DeepLabV2 trained on SYNTHIA alone, with colour augmentation.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/deeplabv2red_r50-d8.py',
    '../_base_/datasets/synthia_to_cityscapes_512x512.py',
    '../_base_/schedules/adamw.py',
    '../_base_/schedules/poly10warm.py',
]

# The encoder of all published DeepLabV2 runs is ResNet-101.
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))

optim_wrapper = dict(optimizer=dict(lr=6e-5), paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=10.0))))

seed = 0
n_gpus = 1
name = 'syn2cs_source-only_dlv2red_r101v1c_poly10warm_s0'
exp = 'basic'
name_dataset = 'synthia2cityscapes'
name_architecture = 'dlv2red_r101v1c'
name_encoder = 'r101v1c'
name_decoder = 'dlv2red'
name_uda = 'source-only'
name_opt = 'adamw_6e-05_pmTrue_poly10warm_1x2_40k'
