_base_ = ['proda_synthia_to_cityscapes.py']

# The distillation: target images with the label maps of tools/make_pseudo_labels.py, which bear their names.
train_dataloader = dict(
    dataset=dict(
        target=dict(
            data_root='',
            data_prefix=dict(img_path='data/cityscapes/leftImg8bit/train', seg_map_path='data/pseudo_labels'),
            seg_map_suffix='_leftImg8bit.png',
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadPseudoLabels'),
                dict(type='Resize', scale=(2048, 1024), keep_ratio=False, backend='pillow'),
                dict(type='Resize', scale=(2200, 1100), keep_ratio='width', ratio_range=(0.5, 1.5), backend='pillow'),
                dict(type='RandomCrop', crop_size=(512, 896)),
                dict(type='RandomFlip', prob=0.5),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
