# DACS with rare class sampling from two sources to one target: the statistics of both are added up.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/uda_demo_multi_source_256x256.py',
    '../_base_/uda/dacs.py',
    '../_base_/schedules/demo.py',
]

# The published 3000 pixels of a GTA image (1914x1052) are 200 of these.
train_dataloader = dict(
    dataset=dict(rare_class_sampling=dict(min_pixels=200, class_temp=0.01, min_crop_ratio=0.5)),
)
name = 'demo_dacs_multi_source'
exp = 'demo'
