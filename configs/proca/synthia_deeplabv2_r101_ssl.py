# ProCA, stage 5: ImageNet weights and the pseudo-labels of stage 3, nothing else.
_base_ = [
    '../_base_/proca_runtime.py',
    '../_base_/models/deeplabv2_r101-d8.py',
    '../_base_/datasets/proca_cityscapes_pseudo_1024x512.py',
    '../_base_/datasets/synthia_16_classes.py',
    '../_base_/schedules/sgd_poly09.py',
]

model = dict(decode_head=dict(num_classes=16))

val_dataloader = dict(dataset=dict(metainfo={{_base_.synthia_metainfo}}, label_map={{_base_.synthia_label_map}}))
test_dataloader = val_dataloader
val_evaluator = dict(subsets={{_base_.synthia_subsets}})
test_evaluator = val_evaluator

optim_wrapper = dict(optimizer=dict(lr=5e-4))
train_dataloader = dict(
    dataset=dict(
        data_prefix=dict(seg_map_path='work_dirs/synthia_deeplabv2_r101_proca/pseudo_labels'),
        metainfo={{_base_.synthia_metainfo}},
    )
)

seed = 0
n_gpus = 4
name = 'synthia_deeplabv2_r101_ssl'
exp = 'proca'
