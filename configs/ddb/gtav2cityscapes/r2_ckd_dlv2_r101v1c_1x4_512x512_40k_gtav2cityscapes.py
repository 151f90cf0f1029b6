# DDB, round 2, step 2: a new student from both teachers. GTA -> Cityscapes.
_base_ = ['r1_ckd_dlv2_r101v1c_1x4_512x512_40k_gtav2cityscapes.py']

uda = dict(
    teachers=[
        dict(
            name='cu',
            checkpoint='work_dirs/r2_st_cu_dlv2_r101v1c_1x4_512x512_40k_gtav2cityscapes/latest.pth',
            prototypes='prototypes/gtav2cityscapes_round2/gtav2cityscapes_st-cu_dlv2.pth',
        ),
        dict(
            name='ca',
            checkpoint='work_dirs/r2_st_ca_dlv2_r101v1c_1x4_512x512_40k_gtav2cityscapes/latest.pth',
            prototypes='prototypes/gtav2cityscapes_round2/gtav2cityscapes_st-ca_dlv2.pth',
        ),
    ],
)

name = 'r2_ckd_dlv2_r101v1c_1x4_512x512_40k_gtav2cityscapes'
