_base_ = ['proda_gta_to_cityscapes.py']

# ProDA's first stage: whole target images and their soft labels (tools/make_pseudo_labels.py --soft) beside the crops.
train_dataloader = dict(
    dataset=dict(
        target=dict(
            data_root='',
            data_prefix=dict(img_path='data/cityscapes/leftImg8bit/train', seg_map_path='data/soft_labels'),
            seg_map_suffix='_leftImg8bit.npy',
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadSoftLabels'),
                dict(type='Resize', scale=(2048, 1024), keep_ratio=False, backend='pillow'),
                dict(type='KeepWholeImage'),
                dict(type='Resize', scale=(2200, 1100), keep_ratio='width', ratio_range=(0.5, 1.5), backend='pillow'),
                dict(type='RandomCrop', crop_size=(512, 896)),
                dict(type='RandomFlip', prob=0.5),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
