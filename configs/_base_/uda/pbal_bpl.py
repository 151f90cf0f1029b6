# Two optimizers: optim_wrapper=dict(main=..., discriminator=...).
uda = dict(
    type='PBALBidirectional',
    adversarial_weight=dict(main=0.01),
    discriminator_loss='Vanilla',
    # Costs per pixel and per class; the prototypes themselves are not pulled.
    transport=dict(per_pixel=0.1, per_class=0.1, detach=True),
)
