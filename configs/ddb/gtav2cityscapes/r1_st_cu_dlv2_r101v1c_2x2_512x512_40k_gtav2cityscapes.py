# The same on two GPUs with two images each: round 1, step 1, region path.
_base_ = ['r1_st_cu_dlv2_r101v1c_1x4_512x512_40k_gtav2cityscapes.py']

train_dataloader = dict(batch_size=2)
sync_bn = True

n_gpus = 2
name = 'r1_st_cu_dlv2_r101v1c_2x2_512x512_40k_gtav2cityscapes'
