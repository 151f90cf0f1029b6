# AdaptSegNet's two optimizers: the main one at the rate of the HRDA and MIC experiments, and the discriminators' Adam.
optim_wrapper = dict(
    main=dict(optimizer=dict(type='SGD', lr=0.0025, momentum=0.9, weight_decay=0.0005)),
    discriminator=dict(optimizer=dict(type='Adam', lr=1e-4, betas=(0.9, 0.99))),
)
param_scheduler = dict(
    main=dict(type='Poly10Warm'),
    discriminator=dict(type='Poly', power=0.9),
)
