# ProCA: both domains against shared prototypes. Start it from source_only (--load-from).
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/uda_demo_256x256_pmd.py',
    '../_base_/uda/proca.py',
    '../_base_/schedules/demo.py',
]

# Tried on the labels of the target's training images (docs/proca.md): at full weight it drowns rare classes.
uda = dict(temperature=0.5, feature_weight=0.1, output_weight=0.1, confidence='probability')

name = 'demo_proca'
exp = 'demo'
