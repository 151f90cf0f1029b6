_base_ = ['daformer_sepaspp_mitb5.py']

# HRDA (arXiv:2204.13132): the whole crop of 1024x1024 at half resolution, and a part of 512x512 at full resolution.
# Published as architecture hrda1-512-0.1_daformer_sepaspp.
model = dict(
    type='HRDAEncoderDecoder',
    decode_head=dict(
        type='HRDAHead',
        single_scale_head='DAFormerHead',
        # One attention map per class.
        attention_classwise=True,
        # Share of the loss on the detail crop's own prediction.
        hr_loss_weight=0.1,
    ),
    scales=[1, 0.5],
    hr_crop_size=[512, 512],
    # The feature distance looks at the context.
    feature_scale=0.5,
    crop_coord_divisible=8,
    # In inference the detail is a sliding window too, inside each window of test_cfg.
    hr_slide_inference=True,
    test_cfg=dict(mode='slide', batched_slide=True, stride=[512, 512], crop_size=[1024, 1024]),
)
