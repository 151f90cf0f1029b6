_base_ = ['demo_val.py']

train_dataloader = dict(
    batch_size=2,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='SampleNumberSampler'),
    collate_fn=dict(type='collate_domains'),
    dataset=dict(
        type='UDADataset',
        # SYNTHIA has no terrain, trucks and trains: these come from GTA alone.
        source=[
            dict(
                type='GTADataset',
                data_root='data/demo/gta',
                data_prefix=dict(img_path='images', seg_map_path='labels'),
                pipeline=[
                    dict(type='LoadImageFromFile'),
                    dict(type='LoadAnnotations'),
                    dict(type='Resize', scale=(512, 256), keep_ratio=True),
                    dict(type='RandomCrop', crop_size=(256, 256), cat_max_ratio=0.75),
                    dict(type='RandomFlip', prob=0.5),
                    dict(type='Pad', size=(256, 256)),
                    dict(type='PackTrainInputs'),
                ],
            ),
            dict(
                type='SynthiaDataset',
                data_root='data/demo/synthia',
                data_prefix=dict(img_path='RGB', seg_map_path='GT/LABELS'),
                pipeline=[
                    dict(type='LoadImageFromFile'),
                    dict(type='LoadAnnotations'),
                    dict(type='Resize', scale=(512, 256), keep_ratio=True),
                    dict(type='RandomCrop', crop_size=(256, 256), cat_max_ratio=0.75),
                    dict(type='RandomFlip', prob=0.5),
                    dict(type='Pad', size=(256, 256)),
                    dict(type='PackTrainInputs'),
                ],
            ),
        ],
        # The target's labels are not even loaded.
        target=dict(
            type='CityscapesDataset',
            data_root='data/demo/cityscapes',
            data_prefix=dict(img_path='leftImg8bit/train', seg_map_path='gtFine/train'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='Resize', scale=(512, 256), keep_ratio=True),
                dict(type='RandomCrop', crop_size=(256, 256)),
                dict(type='RandomFlip', prob=0.5),
                dict(type='Pad', size=(256, 256)),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
