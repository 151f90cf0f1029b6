# ProCA's last stage: the adapted network, trained on its own pseudo-labels of the target alone.
_base_ = [
    '../_base_/demo_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/demo_target_256x256.py',
    '../_base_/schedules/demo.py',
]

# The labels are those of tools/make_pseudo_labels.py, which bear the images' names.
train_dataloader = dict(
    dataset=dict(
        data_root='',
        data_prefix=dict(
            img_path='data/demo/cityscapes/leftImg8bit/train',
            seg_map_path='work_dirs/demo/proca/pseudo_labels',
        ),
        seg_map_suffix='_leftImg8bit.png',
    ),
)
load_from = 'work_dirs/demo/proca/latest.pth'

name = 'demo_proca_ssl'
exp = 'demo'
