# No adaptation of the PBAL network: what its adaptation has to beat.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/pbal_effnet_lite0_demo.py',
    '../_base_/datasets/demo_source_256x256.py',
    '../_base_/schedules/demo.py',
]

name = 'demo_source_only_pbal'
exp = 'demo'
