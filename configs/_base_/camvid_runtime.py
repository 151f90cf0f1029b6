_base_ = ['default_runtime.py']

# 480x360 photographs: 10 to 25 minutes on two CPU cores.
train_cfg = dict(max_iters=1500, val_interval=500)
default_hooks = dict(logger=dict(interval=50), checkpoint=dict(interval=250), panels=dict(interval=250))
# Small depth-wise convolutions run faster so on a CPU.
channels_last = True
