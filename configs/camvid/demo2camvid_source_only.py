# Made-up scenes to photographs, no adaptation: the source images with all colour augmentation of the methods.
_base_ = [
    '../_base_/camvid_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/uda_demo_to_camvid_256x256.py',
    '../_base_/schedules/demo.py',
]

model = dict(decode_head=dict(num_classes=11))
# The colour augmentation that the methods use.
uda = dict(type='Supervised', source_augment=dict(jitter_strength=0.2, jitter_probability=0.8, blur=True))

name = 'camvid_demo2camvid_source_only'
exp = 'camvid'
