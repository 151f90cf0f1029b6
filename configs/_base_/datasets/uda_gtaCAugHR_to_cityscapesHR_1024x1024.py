_base_ = ['cityscapes_val_2048x1024.py']

# GTA's 1914x1052 becomes 2560x1407: the aspect ratio is kept. With colour augmentation.
train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='SampleNumberSampler'),
    collate_fn=dict(type='collate_domains'),
    dataset=dict(
        type='UDADataset',
        source=dict(
            type='GTADataset',
            data_root='data/gta',
            data_prefix=dict(img_path='images', seg_map_path='labels'),
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
        # The target's labels are not even loaded.
        target=dict(
            type='CityscapesDataset',
            data_root='data/cityscapes',
            data_prefix=dict(img_path='leftImg8bit/train', seg_map_path='gtFine/train'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='Resize', scale=(2048, 1024), keep_ratio=True),
                dict(type='RandomCrop', crop_size=(1024, 1024)),
                dict(type='RandomFlip', prob=0.5),
                dict(type='Pad', size=(1024, 1024)),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
