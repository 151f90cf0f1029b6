_base_ = ['default_runtime.py']

# Minutes on two CPU cores.
train_cfg = dict(max_iters=300, val_interval=150)
default_hooks = dict(logger=dict(interval=20), checkpoint=dict(interval=50), panels=dict(interval=100))
