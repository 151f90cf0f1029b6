# MIC on HRDA, SYNTHIA to Cityscapes.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/hrda_daformer_sepaspp_mitb5.py',
    '../_base_/datasets/uda_synthiaHR_to_cityscapesHR_1024x1024.py',
    '../_base_/uda/dacs_a999_fdthings.py',
    '../_base_/schedules/adamw.py',
    '../_base_/schedules/poly10warm.py',
]

train_dataloader = dict(
    dataset=dict(
        pseudo_margins=[30, 240, 30, 30], rare_class_sampling=dict(min_pixels=3000, class_temp=0.01, min_crop_ratio=2.0)
    )
)
uda = dict(
    masking=dict(mode='separatetrgaug', weight=1, generator=dict(type='block', mask_ratio=0.7, mask_block_size=64))
)
optim_wrapper = dict(
    optimizer=dict(lr=6e-05),
    paramwise_cfg=dict(
        custom_keys=dict(head=dict(lr_mult=10.0), pos_block=dict(decay_mult=0.0), norm=dict(decay_mult=0.0))
    ),
)

seed = 0
n_gpus = 1
name = 'synHR2csHR_mic_hrda_s0'
exp = 'basic'
name_dataset = 'synthiaHR2cityscapesHR_1024x1024'
name_architecture = 'hrda1-512-0.1_daformer_sepaspp_sl_mitb5'
name_encoder = 'mitb5'
name_decoder = 'hrda1-512-0.1_daformer_sepaspp_sl'
name_uda = 'dacs_a999_fdthings_rcs0.01-2.0_cpl2_m64-0.7-spta'
name_opt = 'adamw_6e-05_pmTrue_poly10warm_1x2_40k'
