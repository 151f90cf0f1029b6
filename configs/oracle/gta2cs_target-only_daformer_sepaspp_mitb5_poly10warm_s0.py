# Upper bound: the DAFormer network trained on the target's own labels.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/daformer_sepaspp_mitb5.py',
    '../_base_/datasets/cityscapes_512x512.py',
    '../_base_/schedules/adamw.py',
    '../_base_/schedules/poly10warm.py',
]

optim_wrapper = dict(
    optimizer=dict(lr=6e-5),
    paramwise_cfg=dict(
        custom_keys=dict(head=dict(lr_mult=10.0), pos_block=dict(decay_mult=0.0), norm=dict(decay_mult=0.0))
    ),
)

seed = 0
n_gpus = 1
name = 'gta2cs_target-only_daformer_sepaspp_mitb5_poly10warm_s0'
exp = 6
name_dataset = 'gta2cityscapes'
name_architecture = 'daformer_sepaspp_mitb5'
name_encoder = 'mitb5'
name_decoder = 'daformer_sepaspp'
name_uda = 'target-only'
name_opt = 'adamw_6e-05_pmTrue_poly10warm_1x2_40k'
