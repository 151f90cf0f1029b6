# PBAL with a discriminator: the rates of ./sgd_pbal.py and, for the discriminator, the same curve.
optim_wrapper = dict(
    main=dict(
        optimizer=dict(type='SGD', lr=1e-4, momentum=0.9, weight_decay=2e-4),
        paramwise_cfg=dict(custom_keys=dict(decode_head=dict(lr_mult=10.0))),
    ),
    discriminator=dict(optimizer=dict(type='Adam', lr=1e-4, betas=(0.9, 0.99))),
)
param_scheduler = dict(
    main=dict(type='Poly', power=0.9, max_iters=90000),
    discriminator=dict(type='Poly', power=0.9, max_iters=90000),
)
