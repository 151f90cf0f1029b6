_base_ = ['default_runtime.py']

# Four processes of one pair each with batch norm in common (torchrun); one GPU takes train_dataloader.batch_size 4.
# 12 times 5201 iterations = 84 times 743 batches of 4 target images.
sync_bn = True
train_cfg = dict(max_iters=62412, val_interval=5201)
default_hooks = dict(checkpoint=dict(interval=5201, save_best='mIoU'))
seed = 1337
