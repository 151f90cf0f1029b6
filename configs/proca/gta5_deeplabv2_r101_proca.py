# ProCA, stage 3: adaptation of stage 1 (load_from) with the prototypes of tools/init_prototypes.py.
_base_ = [
    '../_base_/proca_runtime.py',
    '../_base_/models/deeplabv2_r101-d8.py',
    '../_base_/datasets/proca_uda_gta_to_cityscapes.py',
    '../_base_/uda/proca.py',
    '../_base_/schedules/sgd_poly09.py',
]

model = dict(
    decode_head=dict(
        loss_decode=[
            dict(type='CrossEntropyLoss', avg_non_ignore=True, loss_weight=1.0),
            dict(type='LovaszLoss', loss_weight=0.75),
        ],
    )
)

load_from = 'work_dirs/gta5_deeplabv2_r101_src/latest.pth'
uda = dict(prototypes='work_dirs/gta5_deeplabv2_r101_src/prototypes')

seed = 0
n_gpus = 4
name = 'gta5_deeplabv2_r101_proca'
exp = 'proca'
