# DACS from one source to two targets.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/uda_demo_multi_target_256x256.py',
    '../_base_/uda/dacs.py',
    '../_base_/schedules/demo.py',
]

name = 'demo_dacs_multi_target'
exp = 'demo'
