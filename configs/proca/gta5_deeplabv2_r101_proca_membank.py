# ProCA's ablation with a memory bank in place of prototypes (published for GTA only: 47.6).
_base_ = [
    '../_base_/proca_runtime.py',
    '../_base_/models/deeplabv2_r101-d8.py',
    '../_base_/datasets/proca_uda_gta_to_cityscapes.py',
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
# The published temperature is not known: the original's script stops before reading one.
uda = dict(type='ProCA', threshold=0.9, confidence='logit', memory_bank=dict(temperature=0.1))

seed = 0
n_gpus = 4
name = 'gta5_deeplabv2_r101_proca_membank'
exp = 'proca'
