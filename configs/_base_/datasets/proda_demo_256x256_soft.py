_base_ = ['uda_demo_256x256_pmd.py']

# Whole target images and their soft labels (tools/make_pseudo_labels.py --soft) beside the crops.
train_dataloader = dict(
    dataset=dict(
        target=dict(
            data_root='',
            data_prefix=dict(
                img_path='data/demo/cityscapes/leftImg8bit/train',
                seg_map_path='work_dirs/demo/proda_warmup/soft_labels',
            ),
            seg_map_suffix='_leftImg8bit.npy',
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadSoftLabels'),
                dict(type='Resize', scale=(512, 256), keep_ratio=True),
                dict(type='KeepWholeImage'),
                dict(type='RandomCrop', crop_size=(256, 256)),
                dict(type='RandomFlip', prob=0.5),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
