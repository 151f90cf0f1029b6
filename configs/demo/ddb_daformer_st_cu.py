# DDB's region path with DAFormer's training: feature distance, rare class sampling and margins.
_base_ = ['ddb_daformer_st_ca.py']

uda = dict(mixing=dict(_delete_=True, type='CutMix', area=0.4))

name = 'demo_ddb_daformer_st_cu'
