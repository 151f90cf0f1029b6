# From made-up street scenes to photographs: the 19 classes of the source are merged to CamVid's 11.
train_dataloader = dict(
    batch_size=2,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='SampleNumberSampler'),
    collate_fn=dict(type='collate_domains'),
    dataset=dict(
        type='UDADataset',
        source=dict(
            type='GTADataset',
            data_root='data/demo/gta',
            data_prefix=dict(img_path='images', seg_map_path='labels'),
            metainfo='CamVidDataset',
            label_map={
                'road': 'Road',
                'sidewalk': 'Pavement',
                'building': 'Building',
                'wall': 'Building',
                'fence': 'Fence',
                'pole': 'Pole',
                'traffic light': 'SignSymbol',
                'traffic sign': 'SignSymbol',
                'vegetation': 'Tree',
                'terrain': 'Tree',
                'sky': 'Sky',
                'person': 'Pedestrian',
                'rider': 'Bicyclist',
                'car': 'Car',
                'truck': 'Car',
                'bus': 'Car',
                'train': 'Car',
                'motorcycle': 'Bicyclist',
                'bicycle': 'Bicyclist',
            },
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadAnnotations'),
                dict(type='RandomCrop', crop_size=(256, 256), cat_max_ratio=0.75),
                dict(type='RandomFlip', prob=0.5),
                dict(type='PhotoMetricDistortion'),
                dict(type='PackTrainInputs'),
            ],
        ),
        # The training frames by day; their labels are not even loaded.
        target=dict(
            type='CamVidDataset',
            data_root='data/camvid',
            sequences=['train/0006R0', 'train/0016E5'],
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='RandomCrop', crop_size=(256, 256)),
                dict(type='RandomFlip', prob=0.5),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
# A drive that training has not seen, by day.
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CamVidDataset',
        data_root='data/camvid',
        sequences=['test/Seq05VD'],
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='PackSegInputs'),
        ],
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
