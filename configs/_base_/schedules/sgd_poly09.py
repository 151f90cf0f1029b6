# DeepLabV2's schedule in ProCA: classifier at ten times the rate, decay on every parameter, no warm-up.
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=2.5e-4, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys=dict(decode_head=dict(lr_mult=10.0))),
)
param_scheduler = dict(type='Poly', power=0.9)
