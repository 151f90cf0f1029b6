# ProCA: both domains against shared prototypes. Start it from source_only_daformer (--load-from).
_base_ = [
    '../_base_/camvid_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/uda_camvid_day_to_dusk_256x256.py',
    '../_base_/uda/proca.py',
    '../_base_/schedules/demo.py',
]

model = dict(decode_head=dict(num_classes=11))
uda = dict(
    # As on the demo, where they were tried (docs/proca.md).
    temperature=0.5,
    feature_weight=0.1,
    output_weight=0.1,
    confidence='probability',
    source_augment=dict(jitter_strength=0.2, jitter_probability=0.8, blur=True),
)

name = 'camvid_proca'
exp = 'camvid'
