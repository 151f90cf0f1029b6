# PBAL, warm-up on SYNTHIA: stage 1 without transport. The recipe is ours, the authors published weights only.
_base_ = [
    '../_base_/pbal_runtime.py',
    '../_base_/models/pbal_deeplabv3plus_r101.py',
    '../_base_/datasets/pbal_uda_synthia_to_cityscapes.py',
    '../_base_/uda/pbal_bpl.py',
    '../_base_/schedules/sgd_pbal_adversarial.py',
]

uda = dict(transport=None)
optim_wrapper = dict(main=dict(optimizer=dict(lr=2.5e-4)))

n_gpus = 2
name = 'pbal_warmup_syn2cs'
exp = 'pbal'
