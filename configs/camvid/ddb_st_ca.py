# DDB, step 1, class path: self-training on images with half of the source's classes.
_base_ = [
    '../_base_/camvid_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/uda_camvid_day_to_dusk_256x256.py',
    '../_base_/uda/st.py',
    '../_base_/schedules/demo.py',
]

model = dict(decode_head=dict(num_classes=11))
train_dataloader = dict(dataset=dict(source_order='shuffled'))
uda = dict(
    source_augment=dict(jitter_strength=0.2, jitter_probability=0.8, blur=True),
)

name = 'camvid_ddb_st_ca'
exp = 'camvid'
