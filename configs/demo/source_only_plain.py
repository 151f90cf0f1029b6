# No adaptation, no colour augmentation.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/demo_source_plain_256x256.py',
    '../_base_/schedules/demo.py',
]

name = 'demo_source_only_plain'
exp = 'demo'
