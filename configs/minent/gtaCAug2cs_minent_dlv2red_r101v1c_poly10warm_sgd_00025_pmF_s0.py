# Entropy minimisation (arXiv:1811.12833), GTA to Cityscapes, with colour augmentation.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/deeplabv2red_r50-d8.py',
    '../_base_/datasets/uda_gtaCAug_to_cityscapes_512x512.py',
    '../_base_/uda/minent.py',
    '../_base_/schedules/sgd.py',
    '../_base_/schedules/poly10warm.py',
]

model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
optim_wrapper = dict(optimizer=dict(lr=0.0025))

seed = 0
n_gpus = 1
name = 'gtaCAug2cs_minent_dlv2red_r101v1c_poly10warm_sgd_00025_pmF_s0'
exp = 'basic'
name_dataset = 'gtaCAug2cityscapes'
name_architecture = 'dlv2red_r101v1c'
name_encoder = 'r101v1c'
name_decoder = 'dlv2red'
name_uda = 'minent'
name_opt = 'sgd_0.0025_pmFalse_poly10warm_1x2_40k'
