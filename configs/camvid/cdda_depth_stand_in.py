# CDDA on DAFormer, with a stand-in for depth. Bank first: docs/cdda.md; cdda_stages.py does all.
_base_ = [
    '../_base_/camvid_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/uda_camvid_day_to_dusk_depth_256x256.py',
    '../_base_/uda/dacs_fd.py',
    '../_base_/schedules/demo.py',
]

model = dict(decode_head=dict(num_classes=11))
uda = dict(
    source_augment=dict(jitter_strength=0.2, jitter_probability=0.8, blur=True),
    # CamVid's things: pole, sign, car, pedestrian, bicyclist.
    feature_distance=dict(weight=0.005, classes=[2, 6, 8, 9, 10], min_ratio=0.75),
    depth_guidance=dict(
        bank='preprocessed/camvid_day_stand_in',
        # Those of SYNTHIA. With true labels, the best of 300 crops scores 0.48 for half of these frames.
        reweight_threshold=0.49,
        relabel_threshold=0.47,
        threshold_decay=0.001,
        # The published 10000, 1000 and 40000 of 40000 iterations.
        decay_begin=1000,
        decay_every=100,
        decay_end=4000,
    ),
)
# Of 172 800 pixels; the published 3000 are of 2 million.
train_dataloader = dict(
    dataset=dict(rare_class_sampling=dict(min_pixels=300, class_temp=0.01, min_crop_ratio=0.5)),
)

name = 'camvid_cdda_depth_stand_in'
exp = 'camvid'
