# ProCA, stage 3: adaptation of stage 1 (load_from) with the prototypes of tools/init_prototypes.py.
_base_ = [
    '../_base_/proca_runtime.py',
    '../_base_/models/deeplabv2_r101-d8.py',
    '../_base_/datasets/proca_uda_synthia_to_cityscapes.py',
    '../_base_/datasets/synthia_16_classes.py',
    '../_base_/uda/proca.py',
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
    dataset=dict(
        source=dict(metainfo={{_base_.synthia_metainfo}}, label_map={{_base_.synthia_label_map}}),
        target=dict(metainfo={{_base_.synthia_metainfo}}, label_map={{_base_.synthia_label_map}}),
    )
)
val_dataloader = dict(dataset=dict(metainfo={{_base_.synthia_metainfo}}, label_map={{_base_.synthia_label_map}}))
test_dataloader = val_dataloader
val_evaluator = dict(subsets={{_base_.synthia_subsets}})
test_evaluator = val_evaluator

load_from = 'work_dirs/synthia_deeplabv2_r101_src/latest.pth'
uda = dict(prototypes='work_dirs/synthia_deeplabv2_r101_src/prototypes')

seed = 0
n_gpus = 4
name = 'synthia_deeplabv2_r101_proca'
exp = 'proca'
