# The same on two GPUs with two images each: round 2, step 2. Its teachers are those of one GPU.
_base_ = ['r2_ckd_dlv2_r101v1c_1x4_512x512_40k_gtav2cityscapes.py']

train_dataloader = dict(batch_size=2)
sync_bn = True

n_gpus = 2
name = 'r2_ckd_dlv2_r101v1c_2x2_512x512_40k_gtav2cityscapes'
