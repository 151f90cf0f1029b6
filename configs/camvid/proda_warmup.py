# ProDA, warm-up: source labels and an adversary.
_base_ = [
    '../_base_/camvid_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/uda_camvid_day_to_dusk_256x256.py',
    '../_base_/uda/advseg.py',
    '../_base_/schedules/demo_adversarial.py',
]

model = dict(decode_head=dict(num_classes=11))
uda = dict(
    main_optimizer_steps_discriminators=False,
    source_augment=dict(jitter_strength=0.2, jitter_probability=0.8, blur=True),
)

name = 'camvid_proda_warmup'
exp = 'camvid'
