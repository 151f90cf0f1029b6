# PMDAv2 in small: DAFormer's training with a network that matches pixels with class prototypes.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/pmdav2_effnet_lite0_demo.py',
    '../_base_/datasets/uda_demo_256x256.py',
    '../_base_/uda/dacs_fdthings.py',
    '../_base_/schedules/demo.py',
]

# The published 3000 pixels of a GTA image (1914x1052) are 200 of these.
train_dataloader = dict(
    dataset=dict(rare_class_sampling=dict(min_pixels=200, class_temp=0.01, min_crop_ratio=0.5)),
)
# Crops span the image's height, so their lowest rows show the bonnet (at most 28 rows).
uda = dict(pseudo_labels=dict(ignore_bottom=30))

name = 'demo_pmdav2'
exp = 'demo'
