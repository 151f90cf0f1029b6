_base_ = ['uda_demo_256x256.py']

# Strong colours in the source.
train_dataloader = dict(
    dataset=dict(
        source=dict(
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadAnnotations'),
                dict(type='Resize', scale=(512, 256), keep_ratio='width', ratio_range=(1.0, 1.5), backend='pillow'),
                dict(type='RandomCrop', crop_size=(256, 256)),
                dict(type='RandomFlip', prob=0.5),
                dict(
                    type='ColorJitter',
                    order=['hue', 'brightness', 'contrast', 'saturation'],
                    grey_prob=0,
                    blur_sigma=None,
                ),
                dict(type='Pad', size=(256, 256)),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
