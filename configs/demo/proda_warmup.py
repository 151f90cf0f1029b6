# ProDA, warm-up: source labels and an adversary.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/uda_demo_256x256_pmd.py',
    '../_base_/uda/advseg.py',
    '../_base_/schedules/demo_adversarial.py',
]

uda = dict(main_optimizer_steps_discriminators=False)

name = 'demo_proda_warmup'
exp = 'demo'
