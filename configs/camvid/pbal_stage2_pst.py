# PBAL, stage 2: prototypical self-training on the pseudo-labels of stage 1.
_base_ = [
    '../_base_/camvid_runtime.py',
    '../_base_/models/pbal_effnet_lite0_demo.py',
    '../_base_/datasets/pbal_pst_camvid_256x256.py',
    '../_base_/uda/pbal_pst.py',
    '../_base_/schedules/demo.py',
]

model = dict(decode_head=dict(num_classes=11))
uda = dict(source_augment=dict(jitter_strength=0.2, jitter_probability=0.8, blur=True))

load_from = 'work_dirs/camvid/pbal_stage1_bpl/latest.pth'

name = 'camvid_pbal_stage2_pst'
exp = 'camvid'
