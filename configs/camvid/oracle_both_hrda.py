# Upper bound of the HRDA network: trained on the labels of both domains.
_base_ = [
    '../_base_/camvid_runtime.py',
    '../_base_/models/hrda_effnet_lite0_demo.py',
    '../_base_/datasets/camvid_day_and_dusk_256x256.py',
    '../_base_/schedules/demo.py',
]

model = dict(decode_head=dict(num_classes=11))
# The colour augmentation that the methods use.
uda = dict(type='Supervised', source_augment=dict(jitter_strength=0.2, jitter_probability=0.8, blur=True))

name = 'camvid_oracle_both_hrda'
exp = 'camvid'
