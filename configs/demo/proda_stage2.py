# ProDA, stage 2: stage 1 as teacher and as start.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/pbal_pst_demo_256x256.py',
    '../_base_/uda/proda_distill.py',
    '../_base_/schedules/demo.py',
]

uda = dict(
    teachers=[
        dict(name='teacher', model='configs/demo/proda_stage1.py', checkpoint='work_dirs/demo/proda_stage1/latest.pth'),
    ],
)
train_dataloader = dict(
    dataset=dict(target=dict(data_prefix=dict(seg_map_path='work_dirs/demo/proda_stage1/pseudo_labels')))
)

load_from = 'work_dirs/demo/proda_stage1/latest.pth'

name = 'demo_proda_stage2'
exp = 'demo'
