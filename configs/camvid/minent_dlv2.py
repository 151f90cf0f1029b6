# MinEnt: target predictions shall be decided, whatever they are.
_base_ = [
    '../_base_/camvid_runtime.py',
    '../_base_/models/deeplabv2_effnet_lite0.py',
    '../_base_/datasets/uda_camvid_day_to_dusk_256x256.py',
    '../_base_/uda/minent.py',
    '../_base_/schedules/demo_dlv2.py',
]

model = dict(decode_head=dict(num_classes=11))
uda = dict(source_augment=dict(jitter_strength=0.2, jitter_probability=0.8, blur=True))

name = 'camvid_minent_dlv2'
exp = 'camvid'
