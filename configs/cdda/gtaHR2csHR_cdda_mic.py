# CDDA on MIC with HRDA, GTA to Cityscapes. Bank first: docs/cdda.md; gtaHR2csHR_stages.py does both.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/hrda_daformer_sepaspp_mitb5.py',
    '../_base_/datasets/uda_gtaHR_to_cityscapesHR_depth_1024x1024.py',
    '../_base_/uda/mic.py',
    '../_base_/schedules/adamw.py',
    '../_base_/schedules/poly10warm.py',
]

train_dataloader = dict(
    dataset=dict(
        rare_class_sampling=dict(min_pixels=3000, class_temp=0.01, min_crop_ratio=2.0),
        pseudo_margins=[30, 240, 30, 30],
    ),
)
uda = dict(
    depth_guidance=dict(
        # The same crops as for HRDA.
        bank='preprocessed/gta_hrda',
        reweight_threshold=0.56,
        relabel_threshold=0.54,
        # Per 1000 iterations, from iteration 10000 on.
        threshold_decay=0.003,
    ),
)
optim_wrapper = dict(
    optimizer=dict(lr=6e-5),
    paramwise_cfg=dict(
        custom_keys=dict(head=dict(lr_mult=10.0), pos_block=dict(decay_mult=0.0), norm=dict(decay_mult=0.0))
    ),
)
train_cfg = dict(val_interval=1000)

seed = 2
n_gpus = 1
name = 'gtaHR2csHR_cdda_mic'
exp = 'cdda'
name_dataset = 'gtaHR2cityscapesHR_1024x1024'
name_architecture = 'hrda1-512-0.1_daformer_sepaspp_sl_mitb5'
name_encoder = 'mitb5'
name_decoder = 'hrda1-512-0.1_daformer_sepaspp_sl'
name_uda = 'dacs_a999_fdthings_rcs0.01-2.0_cpl2_m64-0.7-spta_cdda'
name_opt = 'adamw_6e-05_pmTrue_poly10warm_1x2_40k'
