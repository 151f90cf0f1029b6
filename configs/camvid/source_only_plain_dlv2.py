# No adaptation, no colour augmentation.
_base_ = [
    '../_base_/camvid_runtime.py',
    '../_base_/models/deeplabv2_effnet_lite0.py',
    '../_base_/datasets/camvid_day_plain_256x256.py',
    '../_base_/schedules/demo_dlv2.py',
]

model = dict(decode_head=dict(num_classes=11))

name = 'camvid_source_only_plain_dlv2'
exp = 'camvid'
