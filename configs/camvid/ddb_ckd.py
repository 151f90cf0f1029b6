# DDB, step 2: a new student from both teachers.
_base_ = [
    '../_base_/camvid_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/uda_camvid_day_to_dusk_256x256.py',
    '../_base_/uda/ckd.py',
    '../_base_/schedules/demo.py',
]

model = dict(decode_head=dict(num_classes=11))
train_dataloader = dict(dataset=dict(source_order='shuffled'))
uda = dict(
    teachers=[
        dict(
            name='cu',
            checkpoint='work_dirs/camvid/ddb_st_cu/latest.pth',
            prototypes='work_dirs/camvid/ddb_st_cu/prototypes.pth',
        ),
        dict(
            name='ca',
            checkpoint='work_dirs/camvid/ddb_st_ca/latest.pth',
            prototypes='work_dirs/camvid/ddb_st_ca/prototypes.pth',
        ),
    ],
    source_augment=dict(jitter_strength=0.2, jitter_probability=0.8, blur=True),
)

name = 'camvid_ddb_ckd'
exp = 'camvid'
