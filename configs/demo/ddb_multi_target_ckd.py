# DDB, step 2, two targets: a new student from both teachers.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/uda_demo_multi_target_256x256.py',
    '../_base_/uda/ckd.py',
    '../_base_/schedules/demo.py',
]

uda = dict(
    teachers=[
        dict(
            name='cu',
            checkpoint='work_dirs/demo/ddb_multi_target_st_cu/latest.pth',
            prototypes='work_dirs/demo/ddb_multi_target_st_cu/prototypes.pth',
        ),
        dict(
            name='ca',
            checkpoint='work_dirs/demo/ddb_multi_target_st_ca/latest.pth',
            prototypes='work_dirs/demo/ddb_multi_target_st_ca/prototypes.pth',
        ),
    ],
)
train_dataloader = dict(
    dataset=dict(
        source_order='shuffled',
        source=dict(
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadAnnotations'),
                dict(type='Resize', scale=(512, 256), keep_ratio=True),
                dict(type='RandomCrop', crop_size=(256, 256), cat_max_ratio=0.75),
                dict(type='RandomFlip', prob=0.5),
                dict(type='PhotoMetricDistortion'),
                dict(type='Pad', size=(256, 256)),
                dict(type='PackTrainInputs'),
            ]
        ),
    )
)

name = 'demo_ddb_multi_target_ckd'
exp = 'demo'
