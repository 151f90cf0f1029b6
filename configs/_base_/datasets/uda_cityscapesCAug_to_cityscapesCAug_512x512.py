_base_ = ['uda_cityscapes_to_cityscapes_512x512.py']

# Colour augmentation of both domains, as without adaptation.
augmented = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='Resize', scale=(1024, 512), keep_ratio=True),
    dict(type='RandomCrop', crop_size=(512, 512), cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='Pad', size=(512, 512)),
    dict(type='PackTrainInputs'),
]
train_dataloader = dict(dataset=dict(source=dict(pipeline=augmented), target=dict(pipeline=augmented)))
