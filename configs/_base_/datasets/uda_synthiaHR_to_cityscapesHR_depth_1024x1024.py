_base_ = ['uda_synthiaHR_to_cityscapesHR_1024x1024.py']

train_dataloader = dict(
    dataset=dict(
        # Read by run_seg.py alone, which makes the bank of source crops.
        source=dict(data_prefix=dict(depth_path='depth_any')),
        target=dict(
            data_prefix=dict(depth_path='depth_any/train'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadDepth'),
                dict(type='Resize', scale=(2048, 1024), keep_ratio=True),
                dict(type='RandomCrop', crop_size=(1024, 1024)),
                dict(type='RandomFlip', prob=0.5),
                dict(type='Pad', size=(1024, 1024)),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
