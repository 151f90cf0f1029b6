# ProDA, stage 1: soft labels of the warm-up, rectified by prototypes at every step.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/proda_demo_256x256_soft.py',
    '../_base_/uda/proda.py',
    '../_base_/schedules/demo.py',
]

# With the published momentum (0.999) the teacher would hardly move in so few iterations.
uda = dict(
    prototypes='work_dirs/demo/proda_warmup/prototypes',
    prototype_momentum=1e-3,
    teacher=dict(alpha=0.99),
    # The regulariser as published for GTA; distances are of 64 channels here, not of 256.
    consistency_weight=1.0,
)
load_from = 'work_dirs/demo/proda_warmup/latest.pth'

name = 'demo_proda_stage1'
exp = 'demo'
