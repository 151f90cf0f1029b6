_base_ = ['proca_val_1024x512.py']

# Whole images of both domains; colours of the source alone are changed.
train_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='SampleNumberSampler'),
    collate_fn=dict(type='collate_domains'),
    dataset=dict(
        type='UDADataset',
        class_balanced_sampling={},
        target_order='shuffled',
        source=dict(
            type='SynthiaDataset',
            data_root='data/synthia',
            data_prefix=dict(img_path='RGB', seg_map_path='GT/LABELS'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadAnnotations'),
                dict(type='Resize', scale=(1280, 760), keep_ratio=False, interpolation='bicubic', backend='pillow'),
                dict(type='ColorJitter', brightness=0.5, contrast=0.5, saturation=0.5, hue=0.2, grey_prob=0.2),
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
                dict(type='Resize', scale=(1024, 512), keep_ratio=False, interpolation='bicubic', backend='pillow'),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
