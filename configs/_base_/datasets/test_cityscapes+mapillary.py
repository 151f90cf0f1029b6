# The validation sets of two targets, each with its own scores (cityscapes/mIoU, mapillary/mIoU); mIoU is their mean.
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=[
        dict(
            type='CityscapesDataset',
            data_root='data/cityscapes',
            data_prefix=dict(img_path='leftImg8bit/val', seg_map_path='gtFine/val'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='Resize', scale=(1024, 512), keep_ratio=True),
                dict(type='LoadAnnotations'),
                dict(type='PackSegInputs'),
            ],
            test_mode=True,
        ),
        dict(
            type='MapillaryDataset',
            data_root='data/mapillary',
            data_prefix=dict(img_path='half/val_img', seg_map_path='half/val_label'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='Resize', scale=(1024, 512), keep_ratio=True),
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
