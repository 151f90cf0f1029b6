_base_ = ['uda_demo_256x256.py']

# The true depth of the drawn scenes.
train_dataloader = dict(
    dataset=dict(
        # Read by run_seg.py alone, which makes the bank of source crops.
        source=dict(data_prefix=dict(depth_path='depth_any')),
        target=dict(
            data_prefix=dict(depth_path='depth_any/train'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadDepth'),
                dict(type='Resize', scale=(512, 256), keep_ratio=True),
                dict(type='RandomCrop', crop_size=(256, 256)),
                dict(type='RandomFlip', prob=0.5),
                dict(type='Pad', size=(256, 256)),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
