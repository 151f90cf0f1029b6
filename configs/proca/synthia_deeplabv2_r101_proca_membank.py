# ProCA's ablation with a memory bank in place of prototypes (published for GTA only: 47.6).
_base_ = [
    '../_base_/proca_runtime.py',
    '../_base_/models/deeplabv2_r101-d8.py',
    '../_base_/datasets/proca_uda_synthia_to_cityscapes.py',
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
# The published temperature is not known: the original's script stops before reading one.
uda = dict(type='ProCA', threshold=0.9, confidence='logit', memory_bank=dict(temperature=0.1))

seed = 0
n_gpus = 4
name = 'synthia_deeplabv2_r101_proca_membank'
exp = 'proca'
