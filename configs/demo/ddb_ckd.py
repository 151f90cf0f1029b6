# DDB, step 2: a new student from both teachers.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/uda_demo_256x256_pmd.py',
    '../_base_/uda/ckd.py',
    '../_base_/schedules/demo.py',
]

uda = dict(
    teachers=[
        dict(
            name='cu',
            checkpoint='work_dirs/demo/ddb_st_cu/latest.pth',
            prototypes='work_dirs/demo/ddb_st_cu/prototypes.pth',
        ),
        dict(
            name='ca',
            checkpoint='work_dirs/demo/ddb_st_ca/latest.pth',
            prototypes='work_dirs/demo/ddb_st_ca/prototypes.pth',
        ),
    ],
)
train_dataloader = dict(dataset=dict(source_order='shuffled'))

name = 'demo_ddb_ckd'
exp = 'demo'
