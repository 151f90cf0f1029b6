_base_ = ['deeplabv2red_r50-d8.py']

# HRDA with DeepLabV2: published as architecture hrda1-512-0.1_dlv2red (there on ResNet-101).
model = dict(
    type='HRDAEncoderDecoder',
    decode_head=dict(type='HRDAHead', single_scale_head='DLV2Head', attention_classwise=True, hr_loss_weight=0.1),
    scales=[1, 0.5],
    hr_crop_size=[512, 512],
    feature_scale=0.5,
    crop_coord_divisible=8,
    hr_slide_inference=True,
)
