_base_ = ['pbal_uda_demo_256x256.py']

# Strong colours in both domains; the target with label maps of tools/make_pseudo_labels.py, named as its images.
train_dataloader = dict(
    dataset=dict(
        target=dict(
            data_root='',
            data_prefix=dict(
                img_path='data/demo/cityscapes/leftImg8bit/train',
                seg_map_path='work_dirs/demo/pbal_stage1_bpl/pseudo_labels',
            ),
            seg_map_suffix='_leftImg8bit.png',
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadPseudoLabels'),
                dict(type='Resize', scale=(512, 256), keep_ratio='width', ratio_range=(1.0, 1.5), backend='pillow'),
                dict(type='RandomCrop', crop_size=(256, 256)),
                dict(type='RandomFlip', prob=0.5),
                dict(
                    type='ColorJitter',
                    order=['hue', 'brightness', 'contrast', 'saturation'],
                    grey_prob=0,
                    blur_sigma=None,
                ),
                dict(type='Pad', size=(256, 256)),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
