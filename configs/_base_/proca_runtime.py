_base_ = ['default_runtime.py']

# Four processes with batch norm in common (torchrun); one GPU takes train_dataloader.batch_size four times as large.
sync_bn = True
train_cfg = dict(max_iters=90000, val_interval=5000)
default_hooks = dict(checkpoint=dict(interval=5000, save_best='mIoU'))
