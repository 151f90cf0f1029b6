# AdvSeg: a discriminator tells source from target predictions, the network learns to deceive it.
_base_ = [
    '../_base_/camvid_runtime.py',
    '../_base_/models/deeplabv2_effnet_lite0.py',
    '../_base_/datasets/uda_camvid_day_to_dusk_256x256.py',
    '../_base_/uda/advseg.py',
]

model = dict(decode_head=dict(num_classes=11))
uda = dict(
    source_augment=dict(jitter_strength=0.2, jitter_probability=0.8, blur=True),
    # The published main optimizer steps the discriminator too; at this rate it would overrule the discriminator's own.
    main_optimizer_steps_discriminators=False,
)
# The main one as in ../_base_/schedules/demo_dlv2.py.
optim_wrapper = dict(
    main=dict(
        optimizer=dict(type='AdamW', lr=1e-3, betas=(0.9, 0.999), weight_decay=0.01),
        paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=1.0))),
    ),
    discriminator=dict(optimizer=dict(type='Adam', lr=1e-4, betas=(0.9, 0.99))),
)
param_scheduler = dict(
    main=dict(type='Poly10Warm', warmup_iters=50),
    discriminator=dict(type='Poly', power=0.9),
)

name = 'camvid_advseg_dlv2'
exp = 'camvid'
