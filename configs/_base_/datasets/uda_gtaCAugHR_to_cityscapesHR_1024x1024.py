_base_ = ['uda_gtaHR_to_cityscapesHR_1024x1024.py']

# Colour augmentation of the source, as without adaptation.
train_dataloader = dict(
    dataset=dict(
        source=dict(
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadAnnotations'),
                dict(type='Resize', scale=(2560, 1440), keep_ratio=True),
                dict(type='RandomCrop', crop_size=(1024, 1024), cat_max_ratio=0.75),
                dict(type='RandomFlip', prob=0.5),
                dict(type='PhotoMetricDistortion'),
                dict(type='Pad', size=(1024, 1024)),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
