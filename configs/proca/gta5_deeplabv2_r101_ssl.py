# ProCA, stage 5: ImageNet weights and the pseudo-labels of stage 3, nothing else.
_base_ = [
    '../_base_/proca_runtime.py',
    '../_base_/models/deeplabv2_r101-d8.py',
    '../_base_/datasets/proca_cityscapes_pseudo_1024x512.py',
    '../_base_/schedules/sgd_poly09.py',
]

optim_wrapper = dict(optimizer=dict(lr=5e-4))
train_dataloader = dict(
    dataset=dict(
        data_prefix=dict(seg_map_path='work_dirs/gta5_deeplabv2_r101_proca/pseudo_labels'),
    )
)

seed = 0
n_gpus = 4
name = 'gta5_deeplabv2_r101_ssl'
exp = 'proca'
