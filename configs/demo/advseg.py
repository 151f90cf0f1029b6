# AdvSeg: a discriminator tells source from target predictions, the network learns to deceive it.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/uda_demo_256x256_pmd.py',
    '../_base_/uda/advseg.py',
]

# The published main optimizer steps the discriminator too; at this rate it would overrule the discriminator's own.
uda = dict(main_optimizer_steps_discriminators=False)

# The main one as in ../_base_/schedules/demo.py.
optim_wrapper = dict(
    main=dict(
        optimizer=dict(type='AdamW', lr=1e-3, betas=(0.9, 0.999), weight_decay=0.01),
        paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=10.0))),
    ),
    discriminator=dict(optimizer=dict(type='Adam', lr=1e-4, betas=(0.9, 0.99))),
)
param_scheduler = dict(
    main=dict(type='Poly10Warm', warmup_iters=50),
    discriminator=dict(type='Poly', power=0.9),
)

name = 'demo_advseg'
exp = 'demo'
