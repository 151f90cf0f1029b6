_base_ = ['cityscapes_val_1024x512.py']

# DDB, step 1, from Synscapes. Its 1440x720 becomes 1280x640.
train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='SampleNumberSampler'),
    collate_fn=dict(type='collate_domains'),
    dataset=dict(
        type='UDADataset',
        # Source files in shuffled order, target files at random.
        source_order='shuffled',
        source=dict(
            type='SynscapesDataset',
            data_root='data/synscapes',
            data_prefix=dict(img_path='img/rgb', seg_map_path='img/class'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadAnnotations'),
                dict(type='Resize', scale=(1280, 720), keep_ratio=True),
                dict(type='RandomCrop', crop_size=(512, 512), cat_max_ratio=0.75),
                dict(type='RandomFlip', prob=0.5),
                dict(type='Pad', size=(512, 512)),
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
                dict(type='Resize', scale=(1024, 512), keep_ratio=True),
                dict(type='RandomCrop', crop_size=(512, 512)),
                dict(type='RandomFlip', prob=0.5),
                dict(type='Pad', size=(512, 512)),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
