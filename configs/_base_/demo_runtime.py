_base_ = ['default_runtime.py']

# Minutes on two CPU cores; small convolutional networks are faster channels-last there.
train_cfg = dict(max_iters=600, val_interval=300)
channels_last = True
default_hooks = dict(logger=dict(interval=50), checkpoint=dict(interval=100), panels=dict(interval=200))
