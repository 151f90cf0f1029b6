# ProCA, stage 1: DeepLabV2 on SYNTHIA alone.
_base_ = [
    '../_base_/proca_runtime.py',
    '../_base_/models/deeplabv2_r101-d8.py',
    '../_base_/datasets/proca_synthia_1280x760.py',
    '../_base_/datasets/synthia_16_classes.py',
    '../_base_/schedules/sgd_poly09.py',
]

model = dict(
    decode_head=dict(
        num_classes=16,
        loss_decode=[
            dict(type='CrossEntropyLoss', avg_non_ignore=True, loss_weight=1.0),
            dict(type='LovaszLoss', loss_weight=0.75),
        ],
    )
)

train_dataloader = dict(
    dataset=dict(dataset=dict(metainfo={{_base_.synthia_metainfo}}, label_map={{_base_.synthia_label_map}}))
)
val_dataloader = dict(dataset=dict(metainfo={{_base_.synthia_metainfo}}, label_map={{_base_.synthia_label_map}}))
test_dataloader = val_dataloader
val_evaluator = dict(subsets={{_base_.synthia_subsets}})
test_evaluator = val_evaluator

optim_wrapper = dict(optimizer=dict(lr=5e-4))
# It stops before the rate has fallen to 0.
param_scheduler = dict(type='Poly', power=0.9, max_iters=31250)
train_cfg = dict(max_iters=20000)

seed = 0
n_gpus = 4
name = 'synthia_deeplabv2_r101_src'
exp = 'proca'
