_base_ = ['uda_gta_to_cityscapes_512x512.py']

# Colour augmentation of the source, as without adaptation.
train_dataloader = dict(
    dataset=dict(
        source=dict(
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadAnnotations'),
                dict(type='Resize', scale=(1280, 720), keep_ratio=True),
                dict(type='RandomCrop', crop_size=(512, 512), cat_max_ratio=0.75),
                dict(type='RandomFlip', prob=0.5),
                dict(type='PhotoMetricDistortion'),
                dict(type='Pad', size=(512, 512)),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
