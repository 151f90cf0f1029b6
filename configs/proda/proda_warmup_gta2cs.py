# ProDA, warm-up on GTA: AdaptSegNet's training with frozen batch norms, as its authors describe it.
_base_ = [
    '../_base_/proda_runtime.py',
    '../_base_/models/proda_r101.py',
    '../_base_/datasets/proda_gta_to_cityscapes.py',
    '../_base_/uda/advseg.py',
    '../_base_/schedules/sgd_pbal_adversarial.py',
]

model = dict(backbone=dict(norm_eval=True))
uda = dict(adversarial_weight=dict(_delete_=True, main=0.01), main_optimizer_steps_discriminators=False)
optim_wrapper = dict(main=dict(optimizer=dict(lr=2.5e-4)))

n_gpus = 4
name = 'proda_warmup_gta2cs'
exp = 'proda'
