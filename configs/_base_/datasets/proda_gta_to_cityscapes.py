_base_ = ['cityscapes_val_2048x1024.py']

# Resized, cropped and mirrored images of both domains, in their own colours.
train_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='SampleNumberSampler'),
    collate_fn=dict(type='collate_domains'),
    dataset=dict(
        type='UDADataset',
        source_order='shuffled',
        target_order='shuffled',
        source=dict(
            type='GTADataset',
            data_root='data/gta',
            data_prefix=dict(img_path='images', seg_map_path='labels'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadAnnotations'),
                dict(type='Resize', scale=(1914, 1052), keep_ratio=False, backend='pillow'),
                # The width is drawn, the height follows.
                dict(type='Resize', scale=(2200, 1100), keep_ratio='width', ratio_range=(0.5, 1.5), backend='pillow'),
                dict(type='RandomCrop', crop_size=(512, 896)),
                dict(type='RandomFlip', prob=0.5),
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
                dict(type='Resize', scale=(2048, 1024), keep_ratio=False, backend='pillow'),
                dict(type='Resize', scale=(2200, 1100), keep_ratio='width', ratio_range=(0.5, 1.5), backend='pillow'),
                dict(type='RandomCrop', crop_size=(512, 896)),
                dict(type='RandomFlip', prob=0.5),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
