# MinEnt: target predictions shall be decided, whatever they are.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/uda_demo_256x256_pmd.py',
    '../_base_/uda/minent.py',
    '../_base_/schedules/demo.py',
]

name = 'demo_minent'
exp = 'demo'
