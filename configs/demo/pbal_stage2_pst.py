# PBAL, stage 2: prototypical self-training on the pseudo-labels of stage 1.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/pbal_effnet_lite0_demo.py',
    '../_base_/datasets/pbal_pst_demo_256x256.py',
    '../_base_/uda/pbal_pst.py',
    '../_base_/schedules/demo.py',
]

load_from = 'work_dirs/demo/pbal_stage1_bpl/latest.pth'

name = 'demo_pbal_stage2_pst'
exp = 'demo'
