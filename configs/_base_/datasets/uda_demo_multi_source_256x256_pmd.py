_base_ = ['uda_demo_multi_source_256x256.py']

# The sources' colours are changed.
train_dataloader = dict(
    dataset=dict(
        source=[
            dict(
                type='GTADataset',
                data_root='data/demo/gta',
                data_prefix=dict(img_path='images', seg_map_path='labels'),
                pipeline=[
                    dict(type='LoadImageFromFile'),
                    dict(type='LoadAnnotations'),
                    dict(type='Resize', scale=(512, 256), keep_ratio=True),
                    dict(type='RandomCrop', crop_size=(256, 256), cat_max_ratio=0.75),
                    dict(type='RandomFlip', prob=0.5),
                    dict(type='PhotoMetricDistortion'),
                    dict(type='Pad', size=(256, 256)),
                    dict(type='PackTrainInputs'),
                ],
            ),
            dict(
                type='SynthiaDataset',
                data_root='data/demo/synthia',
                data_prefix=dict(img_path='RGB', seg_map_path='GT/LABELS'),
                pipeline=[
                    dict(type='LoadImageFromFile'),
                    dict(type='LoadAnnotations'),
                    dict(type='Resize', scale=(512, 256), keep_ratio=True),
                    dict(type='RandomCrop', crop_size=(256, 256), cat_max_ratio=0.75),
                    dict(type='RandomFlip', prob=0.5),
                    dict(type='PhotoMetricDistortion'),
                    dict(type='Pad', size=(256, 256)),
                    dict(type='PackTrainInputs'),
                ],
            ),
        ]
    )
)
