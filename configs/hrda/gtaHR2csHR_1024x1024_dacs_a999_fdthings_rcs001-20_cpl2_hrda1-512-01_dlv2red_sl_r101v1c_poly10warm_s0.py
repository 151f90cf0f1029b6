# HRDA with DeepLabV2 on ResNet-101, GTA to Cityscapes.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/deeplabv2red_r50-d8.py',
    '../_base_/datasets/uda_gtaHR_to_cityscapesHR_1024x1024.py',
    '../_base_/uda/dacs_a999_fdthings.py',
    '../_base_/schedules/adamw.py',
    '../_base_/schedules/poly10warm.py',
]

model = dict(
    pretrained='open-mmlab://resnet101_v1c',
    backbone=dict(depth=101),
    type='HRDAEncoderDecoder',
    scales=[1, 0.5],
    hr_crop_size=[512, 512],
    feature_scale=0.5,
    crop_coord_divisible=8,
    hr_slide_inference=True,
    test_cfg=dict(mode='slide', batched_slide=True, stride=[512, 512], crop_size=[1024, 1024]),
    decode_head=dict(type='HRDAHead', single_scale_head='DLV2Head', attention_classwise=True, hr_loss_weight=0.1),
)
train_dataloader = dict(
    dataset=dict(
        pseudo_margins=[30, 240, 30, 30], rare_class_sampling=dict(min_pixels=3000, class_temp=0.01, min_crop_ratio=2.0)
    )
)
optim_wrapper = dict(optimizer=dict(lr=6e-05), paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=10.0))))

seed = 0
n_gpus = 1
name = 'gtaHR2csHR_1024x1024_dacs_a999_fdthings_rcs001-20_cpl2_hrda1-512-01_dlv2red_sl_r101v1c_poly10warm_s0'
exp = 'basic'
name_dataset = 'gtaHR2cityscapesHR_1024x1024'
name_architecture = 'hrda1-512-0.1_dlv2red_sl_r101v1c'
name_encoder = 'r101v1c'
name_decoder = 'hrda1-512-0.1_dlv2red_sl'
name_uda = 'dacs_a999_fdthings_rcs0.01-2.0_cpl2'
name_opt = 'adamw_6e-05_pmTrue_poly10warm_1x2_40k'
