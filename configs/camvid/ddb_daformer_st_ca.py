# DDB's class path with DAFormer's training: feature distance and rare class sampling.
_base_ = ['daformer_daformer.py']

# As in ../_base_/uda/st.py.
uda = dict(mixing=dict(classes='image'), strong_augment=dict(scope='image', blur_axes='x'))

name = 'camvid_ddb_daformer_st_ca'
