# PBAL, stage 3: ProDA's distillation of stage 2 into a self-supervised backbone. The recipe is ProDA's, the authors
# published none.
_base_ = [
    '../_base_/pbal_runtime.py',
    '../_base_/models/pbal_simclr_r101.py',
    '../_base_/datasets/proda_gta_to_cityscapes_pseudo.py',
    '../_base_/uda/proda_distill.py',
    '../_base_/schedules/sgd_proda.py',
]

train_cfg = dict(max_iters=62412, val_interval=5201)
default_hooks = dict(checkpoint=dict(interval=5201))
uda = dict(
    teachers=[
        dict(
            name='teacher',
            model='configs/pbal/pbal_stage2_pst_gta2cs.py',
            checkpoint='work_dirs/pbal_stage2_pst_gta2cs/latest.pth',
        )
    ]
)
train_dataloader = dict(
    batch_size=2,
    dataset=dict(target=dict(data_prefix=dict(seg_map_path='work_dirs/pbal_stage2_pst_gta2cs/pseudo_labels'))),
)

n_gpus = 2
name = 'pbal_stage3_distill_gta2cs'
exp = 'pbal'
