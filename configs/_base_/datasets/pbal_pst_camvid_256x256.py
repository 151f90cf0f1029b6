_base_ = ['uda_camvid_day_to_dusk_256x256.py']

# The dusk frames with label maps of tools/make_pseudo_labels.py, which bear their names.
train_dataloader = dict(
    dataset=dict(
        target=dict(
            data_root='',
            data_prefix=dict(img_path='data/camvid', seg_map_path='work_dirs/camvid/pbal_stage1_bpl/pseudo_labels'),
            label_folder='',
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadPseudoLabels'),
                dict(type='RandomCrop', crop_size=(256, 256)),
                dict(type='RandomFlip', prob=0.5),
                dict(type='PhotoMetricDistortion'),
                dict(type='PackTrainInputs'),
            ],
        ),
    ),
)
