# DDB, round 1, step 2: a new student from both teachers. GTA and Synscapes -> Cityscapes.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/models/deeplabv2red_r101v1c-d8_adapter.py',
    '../../_base_/datasets/ckd_gta+syns2city_512x512.py',
    '../../_base_/uda/ckd.py',
    '../../_base_/schedules/adamw.py',
    '../../_base_/schedules/schedule_40k.py',
]

uda = dict(
    teachers=[
        dict(
            name='cu',
            checkpoint='work_dirs/r1_st_cu_dlv2_r101v1c_1x4_512x512_40k_gta+syns2city/latest.pth',
            prototypes='prototypes/gta+syns2city_round1/gta+syns2city_st-cu_dlv2.pth',
        ),
        dict(
            name='ca',
            checkpoint='work_dirs/r1_st_ca_dlv2_r101v1c_1x4_512x512_40k_gta+syns2city/latest.pth',
            prototypes='prototypes/gta+syns2city_round1/gta+syns2city_st-ca_dlv2.pth',
        ),
    ],
)
optim_wrapper = dict(optimizer=dict(lr=6e-5), paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=10.0))))

seed = 0
n_gpus = 1
name = 'r1_ckd_dlv2_r101v1c_1x4_512x512_40k_gta+syns2city'
exp = 'ckd'
