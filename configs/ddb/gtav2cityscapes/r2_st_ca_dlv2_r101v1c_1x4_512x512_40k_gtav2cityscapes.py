# DDB, round 2, step 1, class path: GTA -> Cityscapes.
_base_ = ['r1_st_ca_dlv2_r101v1c_1x4_512x512_40k_gtav2cityscapes.py']

# From the student of round 1, at a tenth of the rate.
load_from = 'work_dirs/r1_ckd_dlv2_r101v1c_1x4_512x512_40k_gtav2cityscapes/latest.pth'
optim_wrapper = dict(optimizer=dict(lr=6e-6))

name = 'r2_st_ca_dlv2_r101v1c_1x4_512x512_40k_gtav2cityscapes'
