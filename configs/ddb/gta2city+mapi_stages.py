# DDB, both rounds: GTA -> Cityscapes and Mapillary, the stages of GTA -> Cityscapes with other configs.
#   python run_experiments.py --config configs/ddb/gta2city+mapi_stages.py
_base_ = ['gtav2cityscapes_stages.py']

name = 'gta2city+mapi'

stages = dict(
    r1_cu=dict(train='configs/ddb/gta2city+mapi/r1_st_cu_dlv2_r101v1c_1x4_512x512_40k_gta2city+mapi.py'),
    r1_ca=dict(train='configs/ddb/gta2city+mapi/r1_st_ca_dlv2_r101v1c_1x4_512x512_40k_gta2city+mapi.py'),
    r1_student=dict(train='configs/ddb/gta2city+mapi/r1_ckd_dlv2_r101v1c_1x4_512x512_40k_gta2city+mapi.py'),
    r2_cu=dict(train='configs/ddb/gta2city+mapi/r2_st_cu_dlv2_r101v1c_1x4_512x512_40k_gta2city+mapi.py'),
    r2_ca=dict(train='configs/ddb/gta2city+mapi/r2_st_ca_dlv2_r101v1c_1x4_512x512_40k_gta2city+mapi.py'),
    r2_student=dict(train='configs/ddb/gta2city+mapi/r2_ckd_dlv2_r101v1c_1x4_512x512_40k_gta2city+mapi.py'),
)
