# PBAL, stage 3, second round: the first round's student as teacher and as start.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/pbal_effnet_lite0_demo.py',
    '../_base_/datasets/pbal_pst_demo_256x256.py',
    '../_base_/uda/proda_distill.py',
    '../_base_/schedules/demo.py',
]

load_from = 'work_dirs/demo/pbal_stage3_distill/latest.pth'
uda = dict(
    teachers=[
        dict(
            name='teacher',
            model='configs/demo/pbal_stage3_distill.py',
            checkpoint='work_dirs/demo/pbal_stage3_distill/latest.pth',
        ),
    ],
)
train_dataloader = dict(
    dataset=dict(target=dict(data_prefix=dict(seg_map_path='work_dirs/demo/pbal_stage3_distill/pseudo_labels')))
)

name = 'demo_pbal_stage3_distill_round2'
exp = 'demo'
