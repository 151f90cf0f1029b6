# DDB (arXiv:2209.07695), round 1, step 1, region path: GTA -> Cityscapes and Mapillary.
_base_ = ['r1_st_ca_dlv2_r101v1c_1x4_512x512_40k_gta2city+mapi.py']

# A rectangle of the source image, two fifths of the whole, in place of half of its classes.
uda = dict(mixing=dict(_delete_=True, type='CutMix', area=0.4))

name = 'r1_st_cu_dlv2_r101v1c_1x4_512x512_40k_gta2city+mapi'
