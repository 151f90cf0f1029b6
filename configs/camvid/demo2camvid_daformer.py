# Made-up scenes to photographs with DAFormer's training.
_base_ = [
    '../_base_/camvid_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/uda_demo_to_camvid_256x256.py',
    '../_base_/uda/dacs_fd.py',
    '../_base_/schedules/demo.py',
]

model = dict(decode_head=dict(num_classes=11))
uda = dict(
    source_augment=dict(jitter_strength=0.2, jitter_probability=0.8, blur=True),
    # CamVid's things: pole, sign, car, pedestrian, bicyclist.
    feature_distance=dict(weight=0.005, classes=[2, 6, 8, 9, 10], min_ratio=0.75),
)
train_dataloader = dict(
    dataset=dict(rare_class_sampling=dict(min_pixels=200, class_temp=0.01, min_crop_ratio=0.5)),
)

name = 'camvid_demo2camvid_daformer'
exp = 'camvid'
