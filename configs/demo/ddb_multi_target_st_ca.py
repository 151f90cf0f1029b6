# DDB, step 1, class path, two targets: self-training on images with half of the source's classes.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/uda_demo_multi_target_256x256.py',
    '../_base_/uda/st.py',
    '../_base_/schedules/demo.py',
]

train_dataloader = dict(dataset=dict(source_order='shuffled'))

name = 'demo_ddb_multi_target_st_ca'
exp = 'demo'
