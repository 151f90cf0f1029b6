# No adaptation: trained on the game-like domain alone, with colour augmentation.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/demo_source_256x256.py',
    '../_base_/schedules/demo.py',
]

name = 'demo_source_only'
exp = 'demo'
