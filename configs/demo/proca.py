# ProCA: both domains against shared prototypes. Start it from source_only (--load-from).
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/uda_demo_256x256_pmd.py',
    '../_base_/uda/proca.py',
    '../_base_/schedules/demo.py',
]

# With the published 50 the cosines of 64 channels would hardly pull.
uda = dict(temperature=0.5, confidence='probability')

name = 'demo_proca'
exp = 'demo'
