_base_ = ['st_syns2city_512x512.py']

# DDB, step 2: the source's colours are changed.
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
            ]
        )
    )
)
