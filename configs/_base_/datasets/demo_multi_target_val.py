# Two targets, each scored on its own; plain mIoU is the mean of both.
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=[
        dict(
            type='CityscapesDataset',
            data_root='data/demo/cityscapes',
            data_prefix=dict(img_path='leftImg8bit/val', seg_map_path='gtFine/val'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='Resize', scale=(512, 256), keep_ratio=True),
                dict(type='LoadAnnotations'),
                dict(type='PackSegInputs'),
            ],
            test_mode=True,
        ),
        dict(
            type='MapillaryDataset',
            data_root='data/demo/mapillary',
            data_prefix=dict(img_path='validation/images', seg_map_path='cityscape_trainIdLabel/val/label'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='Resize', scale=(512, 256), keep_ratio=True),
                dict(type='LoadAnnotations'),
                dict(type='PackSegInputs'),
            ],
            test_mode=True,
        ),
    ],
)
test_dataloader = val_dataloader
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
