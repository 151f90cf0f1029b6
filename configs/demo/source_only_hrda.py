# No adaptation of the HRDA network: what its adaptation has to beat.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/hrda_effnet_lite0_demo.py',
    '../_base_/datasets/demo_source_256x256.py',
    '../_base_/schedules/demo.py',
]

name = 'demo_source_only_hrda'
exp = 'demo'
