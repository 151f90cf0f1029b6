# ProDA, stage 3: stage 2 once more. The student starts from its teacher's weights, as published.
_base_ = [
    '../_base_/proda_runtime.py',
    '../_base_/models/proda_simclr_r101.py',
    '../_base_/datasets/proda_gta_to_cityscapes_pseudo.py',
    '../_base_/uda/proda_distill.py',
    '../_base_/schedules/sgd_proda.py',
]

load_from = 'work_dirs/proda_stage2_gta2cs/latest.pth'
uda = dict(
    teachers=[
        dict(
            name='teacher',
            model='configs/proda/proda_stage2_gta2cs.py',
            checkpoint='work_dirs/proda_stage2_gta2cs/latest.pth',
        )
    ]
)
train_dataloader = dict(
    dataset=dict(
        target=dict(
            data_prefix=dict(seg_map_path='work_dirs/proda_stage2_gta2cs/pseudo_labels'),
        ),
    )
)

n_gpus = 4
name = 'proda_stage3_gta2cs'
exp = 'proda'
