_base_ = ['cityscapes_val_2048x1024_synthia_classes.py']

# PBAL's first stage: source images in strong colours, target images as they are.
train_dataloader = dict(
    batch_size=2,
    num_workers=6,
    persistent_workers=True,
    sampler=dict(type='SampleNumberSampler'),
    collate_fn=dict(type='collate_domains'),
    dataset=dict(
        type='UDADataset',
        source_order='shuffled',
        target_order='shuffled',
        source=dict(
            type='SynthiaDataset',
            data_root='data/synthia',
            data_prefix=dict(img_path='RGB', seg_map_path='GT/LABELS'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadAnnotations'),
                dict(type='Resize', scale=(1280, 760), keep_ratio=False, backend='pillow'),
                # The width is drawn, the height follows.
                dict(type='Resize', scale=(2200, 1100), keep_ratio='width', ratio_range=(0.5, 1.5), backend='pillow'),
                dict(type='RandomCrop', crop_size=(512, 896)),
                dict(type='RandomFlip', prob=0.5),
                dict(
                    type='ColorJitter',
                    hue=0.2,
                    brightness=0.5,
                    contrast=0.5,
                    saturation=0.5,
                    order=['hue', 'brightness', 'contrast', 'saturation'],
                    grey_prob=0,
                    blur_sigma=None,
                ),
                dict(type='PackTrainInputs'),
            ],
        ),
        # The weak view; the target's labels are not even loaded.
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
