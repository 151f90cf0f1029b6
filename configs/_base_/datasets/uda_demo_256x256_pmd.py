_base_ = ['uda_demo_256x256.py']

# The source's colours are changed: for methods that train on its images as they come, unmixed.
train_dataloader = dict(
    dataset=dict(
        source=dict(
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadAnnotations'),
                dict(type='Resize', scale=(512, 256), keep_ratio=True),
                dict(type='RandomCrop', crop_size=(256, 256), cat_max_ratio=0.75),
                dict(type='RandomFlip', prob=0.5),
                dict(type='PhotoMetricDistortion'),
                dict(type='Pad', size=(256, 256)),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
