_base_ = ['bdd100k_val_1280x720.py']

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
                dict(type='Resize', scale=(1024, 512), keep_ratio=True),
                dict(type='RandomCrop', crop_size=(512, 512), cat_max_ratio=0.75),
                dict(type='RandomFlip', prob=0.5),
                dict(type='Pad', size=(512, 512)),
                dict(type='PackTrainInputs'),
            ],
        ),
        # The target's labels are not even loaded.
        target=dict(
            type='BDD100KDataset',
            data_root='data/bdd100k',
            data_prefix=dict(img_path='images/10k/train', seg_map_path='labels/sem_seg/masks/train'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='Resize', scale=(1280, 720), keep_ratio=True),
                dict(type='RandomCrop', crop_size=(512, 512)),
                dict(type='RandomFlip', prob=0.5),
                dict(type='Pad', size=(512, 512)),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
