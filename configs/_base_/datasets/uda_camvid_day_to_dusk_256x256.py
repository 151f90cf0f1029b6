_base_ = ['camvid_val_dusk.py']

train_dataloader = dict(
    batch_size=2,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='SampleNumberSampler'),
    collate_fn=dict(type='collate_domains'),
    dataset=dict(
        type='UDADataset',
        source=dict(
            type='CamVidDataset',
            data_root='data/camvid',
            sequences=['0006R0', '0016E5', 'Seq05VD'],
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadAnnotations'),
                dict(type='RandomCrop', crop_size=(256, 256), cat_max_ratio=0.75),
                dict(type='RandomFlip', prob=0.5),
                dict(type='PhotoMetricDistortion'),
                dict(type='PackTrainInputs'),
            ],
        ),
        # The earlier half of the drive at dusk; its labels are not even loaded.
        target=dict(
            type='CamVidDataset',
            data_root='data/camvid',
            sequences=['train/0001TP'],
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='RandomCrop', crop_size=(256, 256)),
                dict(type='RandomFlip', prob=0.5),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
