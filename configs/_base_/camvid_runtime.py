_base_ = ['default_runtime.py']

# 480x360 photographs: 15 (supervised) to 40 minutes on one CPU core. With a third of it no method has room to gain.
train_cfg = dict(max_iters=4000, val_interval=2000)
default_hooks = dict(logger=dict(interval=50), checkpoint=dict(interval=500), panels=dict(interval=1000))
# Small depth-wise convolutions run faster so on a CPU.
channels_last = True
