_base_ = ['cityscapes_val_1024x512.py']

# The made-up images are 512x256.
val_dataloader = dict(
    num_workers=2,
    dataset=dict(
        data_root='data/demo/cityscapes',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='Resize', scale=(512, 256), keep_ratio=True),
            dict(type='LoadAnnotations'),
            dict(type='PackSegInputs'),
        ],
    ),
)
test_dataloader = val_dataloader
