# PBAL, stage 1: bidirectional prototype learning. Start it from the warm-up (--load-from).
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/pbal_effnet_lite0_demo.py',
    '../_base_/datasets/pbal_uda_demo_256x256.py',
    '../_base_/uda/pbal_bpl.py',
    '../_base_/schedules/demo_adversarial.py',
]

name = 'demo_pbal_stage1_bpl'
exp = 'demo'
