# ProDA, stage 2: a student with self-supervised weights learns from stage 1 and its pseudo-labels.
_base_ = [
    '../_base_/proda_runtime.py',
    '../_base_/models/proda_simclr_r101.py',
    '../_base_/datasets/proda_gta_to_cityscapes_pseudo.py',
    '../_base_/uda/proda_distill.py',
    '../_base_/schedules/sgd_proda.py',
]

uda = dict(
    teachers=[
        dict(
            name='teacher',
            model='configs/proda/proda_stage1_gta2cs.py',
            checkpoint='work_dirs/proda_stage1_gta2cs/latest.pth',
        )
    ]
)
train_dataloader = dict(
    dataset=dict(
        target=dict(
            data_prefix=dict(seg_map_path='work_dirs/proda_stage1_gta2cs/pseudo_labels'),
        ),
    )
)

n_gpus = 4
name = 'proda_stage2_gta2cs'
exp = 'proda'
