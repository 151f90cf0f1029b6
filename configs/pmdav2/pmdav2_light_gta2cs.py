# PMDAv2 for small GPUs, GTA to Cityscapes: stride 16, grouped strips; else as pmdav2_gta2cs.py.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/pmdav2_light_r101.py',
    '../_base_/datasets/uda_gta_to_cityscapes_512x512.py',
    '../_base_/uda/dacs_a999_fdthings.py',
    '../_base_/schedules/adamw.py',
    '../_base_/schedules/poly10warm.py',
]

# Show rare classes often: draw a class by its rarity, then a source crop that holds enough of it.
train_dataloader = dict(
    dataset=dict(rare_class_sampling=dict(min_pixels=3000, class_temp=0.01, min_crop_ratio=0.5)),
)
# Rows of the 512-pixel-high crop with rectification artefacts (top) and the car's bonnet (bottom) teach nothing.
uda = dict(pseudo_labels=dict(ignore_top=15, ignore_bottom=120))
optim_wrapper = dict(optimizer=dict(lr=6e-5), paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=10.0))))

seed = 1
n_gpus = 1
name = 'pmdav2_light_gta2cs'
exp = 'pmdav2'
name_dataset = 'gta2cityscapes'
name_architecture = 'pmdav2light_r101v1c'
name_encoder = 'r101v1c'
name_decoder = 'pmdav2light'
name_uda = 'dacs_a999_fdthings_rcs0.01_cpl'
name_opt = 'adamw_6e-05_pmTrue_poly10warm_1x2_40k'
