# HRDA: DAFormer's training with a network that looks at every crop twice, coarsely at all and closely at a part.
_base_ = ['daformer_daformer.py']

model = dict(
    type='HRDAEncoderDecoder',
    decode_head=dict(
        type='HRDAHead',
        single_scale_head='DAFormerHead',
        attention_embed_dim=64,
        attention_classwise=True,
        hr_loss_weight=0.1,
    ),
    scales=[1, 0.5],
    hr_crop_size=[128, 128],
    feature_scale=0.5,
    crop_coord_divisible=8,
    hr_slide_inference=True,
    test_cfg=dict(mode='slide', batched_slide=True, stride=[128, 128], crop_size=[256, 256]),
)

name = 'camvid_hrda_daformer'
