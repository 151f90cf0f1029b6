# ProDA, stage 1: the warm-up model (load_from), its soft labels and prototypes; labels rectified at every step.
_base_ = [
    '../_base_/proda_runtime.py',
    '../_base_/models/proda_r101.py',
    '../_base_/datasets/proda_gta_to_cityscapes_soft.py',
    '../_base_/uda/proda.py',
    '../_base_/schedules/sgd_proda.py',
]

load_from = 'work_dirs/proda_warmup_gta2cs/latest.pth'
uda = dict(prototypes='work_dirs/proda_warmup_gta2cs/prototypes')
optim_wrapper = dict(optimizer=dict(lr=1e-4))
train_dataloader = dict(
    dataset=dict(
        target=dict(
            data_prefix=dict(seg_map_path='work_dirs/proda_warmup_gta2cs/soft_labels'),
        ),
    )
)

n_gpus = 4
name = 'proda_stage1_gta2cs'
exp = 'proda'
