# ./demo.py with a discriminator beside it.
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
