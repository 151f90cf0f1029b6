# PBAL, stage 1: bidirectional prototype learning from the warm-up (load_from; the authors' .pkl loads too).
_base_ = [
    '../_base_/pbal_runtime.py',
    '../_base_/models/pbal_deeplabv3plus_r101.py',
    '../_base_/datasets/pbal_uda_gta_to_cityscapes.py',
    '../_base_/uda/pbal_bpl.py',
    '../_base_/schedules/sgd_pbal_adversarial.py',
]

load_from = 'work_dirs/pbal_warmup_gta2cs/latest.pth'

n_gpus = 2
name = 'pbal_stage1_bpl_gta2cs'
exp = 'pbal'
