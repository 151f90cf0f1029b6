# DDB, round 2, step 2: a new student from both teachers. GTA -> Cityscapes and Mapillary.
# Not published: the settings of one source and one target.
_base_ = ['r1_ckd_dlv2_r101v1c_1x4_512x512_40k_gta2city+mapi.py']

uda = dict(
    teachers=[
        dict(
            name='cu',
            checkpoint='work_dirs/r2_st_cu_dlv2_r101v1c_1x4_512x512_40k_gta2city+mapi/latest.pth',
            prototypes='prototypes/gta2city+mapi_round2/gta2city+mapi_st-cu_dlv2.pth',
        ),
        dict(
            name='ca',
            checkpoint='work_dirs/r2_st_ca_dlv2_r101v1c_1x4_512x512_40k_gta2city+mapi/latest.pth',
            prototypes='prototypes/gta2city+mapi_round2/gta2city+mapi_st-ca_dlv2.pth',
        ),
    ],
)

name = 'r2_ckd_dlv2_r101v1c_1x4_512x512_40k_gta2city+mapi'
