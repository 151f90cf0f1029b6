_base_ = ['uda_synthia_to_cityscapes_512x512.py']

train_dataloader = dict(
    dataset=dict(
        # Read by run_seg.py alone, which makes the bank of source crops.
        source=dict(data_prefix=dict(depth_path='depth_any')),
        target=dict(
            data_prefix=dict(depth_path='depth_any/train'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadDepth'),
                dict(type='Resize', scale=(1024, 512), keep_ratio=True),
                dict(type='RandomCrop', crop_size=(512, 512)),
                dict(type='RandomFlip', prob=0.5),
                dict(type='Pad', size=(512, 512)),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
