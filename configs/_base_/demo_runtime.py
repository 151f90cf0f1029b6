_base_ = ['default_runtime.py']

# Minutes on two CPU cores.
train_cfg = dict(max_iters=400, val_interval=200)
default_hooks = dict(logger=dict(interval=20), checkpoint=dict(interval=100), panels=dict(interval=100))
