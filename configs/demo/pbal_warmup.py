# PBAL, warm-up: source labels and an adversary.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/pbal_effnet_lite0_demo.py',
    '../_base_/datasets/pbal_uda_demo_256x256.py',
    '../_base_/uda/pbal_bpl.py',
    '../_base_/schedules/demo_adversarial.py',
]

uda = dict(transport=None)

name = 'demo_pbal_warmup'
exp = 'demo'
