# ProCA's test images in the self-training stage: at full size.
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CityscapesDataset',
        data_root='data/cityscapes',
        data_prefix=dict(img_path='leftImg8bit/val', seg_map_path='gtFine/val'),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='Resize', scale=(2048, 1024), keep_ratio=False, interpolation='bicubic', backend='pillow'),
            dict(type='LoadAnnotations'),
            dict(type='PackSegInputs'),
        ],
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
# A class that never occurs counts 0.
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'], nan_to_num=0)
test_evaluator = val_evaluator
