# CDDA on DAFormer, GTA to Cityscapes. Bank first: docs/cdda.md; gta2cs_stages.py does both.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/daformer_sepaspp_mitb5.py',
    '../_base_/datasets/uda_gta_to_cityscapes_depth_512x512.py',
    '../_base_/uda/dacs_a999_fdthings.py',
    '../_base_/schedules/adamw.py',
    '../_base_/schedules/poly10warm.py',
]

train_dataloader = dict(
    dataset=dict(rare_class_sampling=dict(min_pixels=3000, class_temp=0.01, min_crop_ratio=0.5)),
)
uda = dict(
    pseudo_labels=dict(ignore_top=15, ignore_bottom=120),
    depth_guidance=dict(
        bank='preprocessed/gta_daformer',
        reweight_threshold=0.56,
        relabel_threshold=0.54,
        # Per 1000 iterations, from iteration 10000 on.
        threshold_decay=0.0025,
    ),
)
optim_wrapper = dict(
    optimizer=dict(lr=6e-5),
    paramwise_cfg=dict(
        custom_keys=dict(head=dict(lr_mult=10.0), pos_block=dict(decay_mult=0.0), norm=dict(decay_mult=0.0))
    ),
)
train_cfg = dict(val_interval=1000)

seed = 0
n_gpus = 1
name = 'gta2cs_cdda_daformer'
exp = 'cdda'
name_dataset = 'gta2cityscapes'
name_architecture = 'daformer_sepaspp_mitb5'
name_encoder = 'mitb5'
name_decoder = 'daformer_sepaspp'
name_uda = 'dacs_a999_fd_things_rcs0.01_cpl_cdda'
name_opt = 'adamw_6e-05_pmTrue_poly10warm_1x2_40k'
