# ProDA, stage 1: soft labels of the warm-up, rectified by prototypes at every step.
_base_ = [
    '../_base_/camvid_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/proda_camvid_256x256_soft.py',
    '../_base_/uda/proda.py',
    '../_base_/schedules/demo.py',
]

model = dict(decode_head=dict(num_classes=11))
# With the published momentum (0.999) the teacher would hardly move in so few iterations.
uda = dict(
    prototypes='work_dirs/camvid/proda_warmup/prototypes',
    prototype_momentum=1e-3,
    teacher=dict(alpha=0.99),
    # The regulariser as published for GTA; distances are of 64 channels here, not of 256.
    consistency_weight=1.0,
    source_augment=dict(jitter_strength=0.2, jitter_probability=0.8, blur=True),
)
load_from = 'work_dirs/camvid/proda_warmup/latest.pth'

name = 'camvid_proda_stage1'
exp = 'camvid'
