_base_ = ['uda_camvid_day_to_dusk_256x256.py']

# A stand-in for depth: a flat road seen from a car, the same map for every frame (docs/cdda.md).
train_dataloader = dict(
    dataset=dict(
        # Read by run_seg.py alone, which makes the bank of source crops.
        source=dict(data_prefix=dict(depth_path='depth_stand_in')),
        target=dict(
            data_prefix=dict(depth_path='depth_stand_in'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadDepth'),
                dict(type='RandomCrop', crop_size=(256, 256)),
                dict(type='RandomFlip', prob=0.5),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
