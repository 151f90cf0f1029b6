# PBAL, stage 2: prototypical self-training from ImageNet weights on the pseudo-labels of stage 1.
_base_ = [
    '../_base_/pbal_runtime.py',
    '../_base_/models/pbal_deeplabv3plus_r101.py',
    '../_base_/datasets/pbal_pst_synthia_to_cityscapes.py',
    '../_base_/uda/pbal_pst.py',
    '../_base_/schedules/sgd_pbal.py',
]

train_dataloader = dict(
    dataset=dict(target=dict(data_prefix=dict(seg_map_path='work_dirs/pbal_stage1_bpl_syn2cs/pseudo_labels')))
)

n_gpus = 2
name = 'pbal_stage2_pst_syn2cs'
exp = 'pbal'
