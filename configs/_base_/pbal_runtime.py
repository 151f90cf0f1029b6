_base_ = ['default_runtime.py']

# Two processes with batch norm in common (torchrun); one GPU takes train_dataloader.batch_size twice as large.
sync_bn = True
train_cfg = dict(max_iters=60000, val_interval=5000)
default_hooks = dict(checkpoint=dict(interval=5000, save_best='mIoU'))
seed = 2023
