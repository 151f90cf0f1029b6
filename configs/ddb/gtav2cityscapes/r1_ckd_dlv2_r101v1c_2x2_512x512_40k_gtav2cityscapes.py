# The same on two GPUs with two images each: round 1, step 2.
_base_ = ['r1_ckd_dlv2_r101v1c_1x4_512x512_40k_gtav2cityscapes.py']

train_dataloader = dict(batch_size=2)
sync_bn = True
uda = dict(
    teachers=[
        dict(
            name='cu',
            checkpoint='work_dirs/r1_st_cu_dlv2_r101v1c_2x2_512x512_40k_gtav2cityscapes/latest.pth',
            prototypes='prototypes/gtav2cityscapes_round1/gtav2cityscapes_st-cu_dlv2.pth',
        ),
        dict(
            name='ca',
            checkpoint='work_dirs/r1_st_ca_dlv2_r101v1c_2x2_512x512_40k_gtav2cityscapes/latest.pth',
            prototypes='prototypes/gtav2cityscapes_round1/gtav2cityscapes_st-ca_dlv2.pth',
        ),
    ],
)

n_gpus = 2
name = 'r1_ckd_dlv2_r101v1c_2x2_512x512_40k_gtav2cityscapes'
