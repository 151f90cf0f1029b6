# PBAL, stage 3: ProDA's distillation of stage 2.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/pbal_effnet_lite0_demo.py',
    '../_base_/datasets/pbal_pst_demo_256x256.py',
    '../_base_/uda/proda_distill.py',
    '../_base_/schedules/demo.py',
]

uda = dict(
    teachers=[
        dict(
            name='teacher',
            model='configs/demo/pbal_stage2_pst.py',
            checkpoint='work_dirs/demo/pbal_stage2_pst/latest.pth',
        ),
    ],
)
train_dataloader = dict(
    dataset=dict(target=dict(data_prefix=dict(seg_map_path='work_dirs/demo/pbal_stage2_pst/pseudo_labels')))
)

load_from = 'work_dirs/demo/pbal_stage2_pst/latest.pth'

name = 'demo_pbal_stage3_distill'
exp = 'demo'
