# DDB, step 1, region path, two targets: self-training on images with a rectangle of the source.
_base_ = ['ddb_multi_target_st_ca.py']

uda = dict(mixing=dict(_delete_=True, type='CutMix', area=0.4))

name = 'demo_ddb_multi_target_st_cu'
