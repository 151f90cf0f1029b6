_base_ = ['proca_val_2048x1024.py']

# Cityscapes' training images with the label maps of tools/make_pseudo_labels.py, which bear the images' names.
train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='SampleNumberSampler'),
    collate_fn=dict(type='collate_domains'),
    dataset=dict(
        type='CityscapesDataset',
        data_prefix=dict(img_path='data/cityscapes/leftImg8bit/train', seg_map_path='data/pseudo_labels'),
        seg_map_suffix='_leftImg8bit.png',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadPseudoLabels'),
            dict(
                type='Resize',
                scale=(2048, 1024),
                ratio_range=(0.5, 1.5),
                keep_ratio=False,
                interpolation='bicubic',
                backend='pillow',
            ),
            dict(type='PadAround', size=(512, 1024)),
            dict(type='RandomCrop', crop_size=(512, 1024)),
            dict(type='RandomFlip', prob=0.5),
            dict(type='ColorJitter', brightness=0.5, contrast=0.5, saturation=0.5, hue=0.2, grey_prob=0.2),
            dict(type='PackTrainInputs'),
        ],
    ),
)
