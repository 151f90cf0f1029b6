# The originals' run: 40 000 iterations of batch 2 on one GPU.
default_scope = 'mmseg'
env_cfg = dict(cudnn_benchmark=True, dist_cfg=dict(backend='nccl'))
log_level = 'INFO'
load_from = None
resume = False
seed = 0
deterministic = False
# bf16 on GPUs that compute in it, else fp32; fp32 is the arithmetic of the published runs.
precision = 'auto'

train_cfg = dict(max_iters=40000, val_interval=4000, accumulate=1)
val_cfg = {}
test_cfg = {}
default_hooks = dict(
    logger=dict(interval=50),
    # The best checkpoint is for looking; tables use the last iterate.
    checkpoint=dict(interval=4000, max_keep=1, save_best='mIoU'),
    panels=dict(interval=1000),
)
