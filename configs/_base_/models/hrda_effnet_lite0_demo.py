_base_ = ['daformer_effnet_lite0_demo.py']

# HRDA in small: the crop of 256x256 at half resolution, and a part of 128x128 at full resolution.
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
    # A cell of the context's logits: stride 4 at half resolution.
    crop_coord_divisible=8,
    hr_slide_inference=True,
    test_cfg=dict(mode='slide', batched_slide=True, stride=[128, 128], crop_size=[256, 256]),
)
