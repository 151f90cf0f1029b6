_base_ = ['cityscapes_val_1024x512.py']

# One data set as both domains: supervised training with the masked consistency.
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
        # Its labels are read only to cut crops that one class does not fill.
        target=dict(
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
    ),
)
