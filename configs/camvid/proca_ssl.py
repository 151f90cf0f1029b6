# ProCA's last stage: the adapted network, trained on its own pseudo-labels of the target alone.
_base_ = [
    '../_base_/camvid_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/camvid_dusk_256x256.py',
    '../_base_/schedules/demo.py',
]

model = dict(decode_head=dict(num_classes=11))
# The labels are those of tools/make_pseudo_labels.py, which bear the images' names.
train_dataloader = dict(
    dataset=dict(
        data_root='',
        data_prefix=dict(img_path='data/camvid', seg_map_path='work_dirs/camvid/proca/pseudo_labels'),
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
)
# The colour augmentation that the other methods use.
uda = dict(type='Supervised', source_augment=dict(jitter_strength=0.2, jitter_probability=0.8, blur=True))
load_from = 'work_dirs/camvid/proca/latest.pth'

name = 'camvid_proca_ssl'
exp = 'camvid'
