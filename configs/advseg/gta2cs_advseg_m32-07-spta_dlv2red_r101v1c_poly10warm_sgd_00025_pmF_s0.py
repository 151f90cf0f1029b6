# AdvSeg with masked target images (MIC).
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/deeplabv2red_r50-d8.py',
    '../_base_/datasets/uda_gta_to_cityscapes_512x512.py',
    '../_base_/uda/advseg.py',
    '../_base_/schedules/sgd_advseg.py',
]

model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
uda = dict(
    masking=dict(mode='separatetrgaug', weight=1, generator=dict(type='block', mask_ratio=0.7, mask_block_size=32))
)
optim_wrapper = dict(main=dict(optimizer=dict(lr=0.0025)))

seed = 0
n_gpus = 1
name = 'gta2cs_advseg_m32-07-spta_dlv2red_r101v1c_poly10warm_sgd_00025_pmF_s0'
exp = 'basic'
name_dataset = 'gta2cityscapes'
name_architecture = 'dlv2red_r101v1c'
name_encoder = 'r101v1c'
name_decoder = 'dlv2red'
name_uda = 'advseg_m32-0.7-spta'
name_opt = 'sgd_0.0025_pmFalse_poly10warm_1x2_40k'
