_base_ = ['proca_val_1024x512.py']

# Whole source images; files with classes that were seen less come more often.
train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='SampleNumberSampler'),
    collate_fn=dict(type='collate_domains'),
    dataset=dict(
        type='ClassBalancedDataset',
        dataset=dict(
            type='GTADataset',
            data_root='data/gta',
            data_prefix=dict(img_path='images', seg_map_path='labels'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadAnnotations'),
                dict(type='Resize', scale=(1280, 720), keep_ratio=False, interpolation='bicubic', backend='pillow'),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
