_base_ = ['cityscapes_val_1024x512.py']

# Synscapes alone.
train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='SampleNumberSampler'),
    collate_fn=dict(type='collate_domains'),
    dataset=dict(
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
)
