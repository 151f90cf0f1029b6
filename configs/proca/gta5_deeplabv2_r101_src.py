# ProCA, stage 1: DeepLabV2 on GTA alone.
_base_ = [
    '../_base_/proca_runtime.py',
    '../_base_/models/deeplabv2_r101-d8.py',
    '../_base_/datasets/proca_gta_1280x720.py',
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

optim_wrapper = dict(optimizer=dict(lr=5e-4))
# It stops before the rate has fallen to 0.
param_scheduler = dict(type='Poly', power=0.9, max_iters=31250)
train_cfg = dict(max_iters=20000)

seed = 0
n_gpus = 4
name = 'gta5_deeplabv2_r101_src'
exp = 'proca'
