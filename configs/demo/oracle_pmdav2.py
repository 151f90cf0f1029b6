# Upper bound of the PMDAv2 network: trained on the camera-like domain's own labels.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/pmdav2_effnet_lite0_demo.py',
    '../_base_/datasets/demo_target_256x256.py',
    '../_base_/schedules/demo.py',
]

name = 'demo_oracle_pmdav2'
exp = 'demo'
