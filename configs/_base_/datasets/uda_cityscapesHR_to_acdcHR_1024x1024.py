_base_ = ['acdc_val_1920x1080.py']

train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='SampleNumberSampler'),
    collate_fn=dict(type='collate_domains'),
    dataset=dict(
        type='UDADataset',
        source=dict(
            type='CityscapesDataset',
            data_root='data/cityscapes',
            data_prefix=dict(img_path='leftImg8bit/train', seg_map_path='gtFine/train'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadAnnotations'),
                dict(type='Resize', scale=(2048, 1024), keep_ratio=True),
                dict(type='RandomCrop', crop_size=(1024, 1024), cat_max_ratio=0.75),
                dict(type='RandomFlip', prob=0.5),
                dict(type='Pad', size=(1024, 1024)),
                dict(type='PackTrainInputs'),
            ],
        ),
        # The target's labels are not even loaded.
        target=dict(
            type='ACDCDataset',
            data_root='data/acdc',
            split='train',
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='Resize', scale=(1920, 1080), keep_ratio=True),
                dict(type='RandomCrop', crop_size=(1024, 1024)),
                dict(type='RandomFlip', prob=0.5),
                dict(type='Pad', size=(1024, 1024)),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
