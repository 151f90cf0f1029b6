# The PMDAv2 network without adaptation: trained on GTA alone, tested on Cityscapes.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/pmdav2_r101.py',
    '../_base_/datasets/gta_to_cityscapes_512x512.py',
    '../_base_/schedules/adamw.py',
    '../_base_/schedules/poly10warm.py',
]

optim_wrapper = dict(optimizer=dict(lr=6e-5), paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=10.0))))

seed = 1
n_gpus = 1
name = 'pmdav2_gta_source_only'
exp = 'pmdav2'
name_dataset = 'gta2cityscapes'
name_architecture = 'pmdav2_r101v1c'
name_encoder = 'r101v1c'
name_decoder = 'pmdav2'
name_uda = 'source-only'
name_opt = 'adamw_6e-05_pmTrue_poly10warm_1x2_40k'
