_base_ = ['uda_camvid_day_to_dusk_256x256.py']

# Whole target images and their soft labels (tools/make_pseudo_labels.py --soft) beside the crops.
train_dataloader = dict(
    dataset=dict(
        target=dict(
            data_root='',
            data_prefix=dict(img_path='data/camvid', seg_map_path='work_dirs/camvid/proda_warmup/soft_labels'),
            seg_map_suffix='.npy',
            label_folder='',
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadSoftLabels'),
                dict(type='KeepWholeImage'),
                dict(type='RandomCrop', crop_size=(256, 256)),
                dict(type='RandomFlip', prob=0.5),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
