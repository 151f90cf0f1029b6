# DACS: self-training on mixed images.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/uda_demo_256x256.py',
    '../_base_/uda/dacs.py',
    '../_base_/schedules/demo.py',
]

name = 'demo_dacs'
exp = 'demo'
