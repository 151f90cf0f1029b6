_base_ = ['default_runtime.py']

# 480x360 photographs: minutes on two CPU cores.
train_cfg = dict(max_iters=1000, val_interval=500)
default_hooks = dict(logger=dict(interval=50), checkpoint=dict(interval=200), panels=dict(interval=200))
