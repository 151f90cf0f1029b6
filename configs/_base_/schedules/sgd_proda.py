# ProDA: head and neck at ten times the rate, decay on every parameter; the rate falls towards iteration 90000.
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=6e-4, momentum=0.9, weight_decay=2e-4),
    paramwise_cfg=dict(custom_keys=dict(decode_head=dict(lr_mult=10.0), neck=dict(lr_mult=10.0))),
)
param_scheduler = dict(type='Poly', power=0.9, max_iters=90000)
