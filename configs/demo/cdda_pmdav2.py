# CDDA on PMDAv2: depth guidance for the network that matches pixels with class prototypes.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/pmdav2_effnet_lite0_demo.py',
    '../_base_/datasets/uda_demo_depth_256x256.py',
    '../_base_/uda/dacs_fdthings.py',
    '../_base_/schedules/demo.py',
]

# The published 3000 pixels of a GTA image (1914x1052) are 200 of these.
train_dataloader = dict(
    dataset=dict(rare_class_sampling=dict(min_pixels=200, class_temp=0.01, min_crop_ratio=0.5)),
)
uda = dict(
    # Crops span the image's height, so their lowest rows show the bonnet (at most 28 rows).
    pseudo_labels=dict(ignore_bottom=30),
    depth_guidance=dict(
        bank='preprocessed/demo_gta',
        # Published: 0.56, 0.54, 0.0025. With few classes predicted, scores begin at 0.43 and end at 0.24.
        reweight_threshold=0.45,
        relabel_threshold=0.44,
        threshold_decay=0.007,
        # The published 10000, 1000 and 40000 of 40000 iterations.
        decay_begin=150,
        decay_every=15,
        decay_end=600,
    ),
)

name = 'demo_cdda_pmdav2'
exp = 'demo'
