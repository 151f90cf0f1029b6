# DDB, round 2, step 1, region path: GTA -> Cityscapes and Mapillary.
# Not published: the settings of one source and one target.
_base_ = ['r2_st_ca_dlv2_r101v1c_1x4_512x512_40k_gta2city+mapi.py']

# A rectangle of the source image, two fifths of the whole, in place of half of its classes.
uda = dict(mixing=dict(_delete_=True, type='CutMix', area=0.4))

name = 'r2_st_cu_dlv2_r101v1c_1x4_512x512_40k_gta2city+mapi'
