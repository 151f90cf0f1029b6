# DDB, both rounds: GTA and Synscapes -> Cityscapes, the stages of GTA -> Cityscapes with other configs.
#   python run_experiments.py --config configs/ddb/gta+syns2city_stages.py
_base_ = ['gtav2cityscapes_stages.py']

name = 'gta+syns2city'

stages = dict(
    r1_cu=dict(train='configs/ddb/gta+syns2city/r1_st_cu_dlv2_r101v1c_1x4_512x512_40k_gta+syns2city.py'),
    r1_ca=dict(train='configs/ddb/gta+syns2city/r1_st_ca_dlv2_r101v1c_1x4_512x512_40k_gta+syns2city.py'),
    r1_student=dict(train='configs/ddb/gta+syns2city/r1_ckd_dlv2_r101v1c_1x4_512x512_40k_gta+syns2city.py'),
    r2_cu=dict(train='configs/ddb/gta+syns2city/r2_st_cu_dlv2_r101v1c_1x4_512x512_40k_gta+syns2city.py'),
    r2_ca=dict(train='configs/ddb/gta+syns2city/r2_st_ca_dlv2_r101v1c_1x4_512x512_40k_gta+syns2city.py'),
    r2_student=dict(train='configs/ddb/gta+syns2city/r2_ckd_dlv2_r101v1c_1x4_512x512_40k_gta+syns2city.py'),
)
