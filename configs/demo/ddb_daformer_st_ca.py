# DDB's class path with DAFormer's training: feature distance, rare class sampling and margins.
_base_ = ['daformer.py']

# As in ../_base_/uda/st.py.
uda = dict(mixing=dict(classes='image'), strong_augment=dict(scope='image', blur_axes='x'))

name = 'demo_ddb_daformer_st_ca'
