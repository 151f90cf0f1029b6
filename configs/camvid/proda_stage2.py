# ProDA, stage 2: stage 1 as teacher and as start.
_base_ = [
    '../_base_/camvid_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/pbal_pst_camvid_256x256.py',
    '../_base_/uda/proda_distill.py',
    '../_base_/schedules/demo.py',
]

model = dict(decode_head=dict(num_classes=11))
uda = dict(
    teachers=[
        dict(
            name='teacher',
            model='configs/camvid/proda_stage1.py',
            checkpoint='work_dirs/camvid/proda_stage1/latest.pth',
        ),
    ],
    source_augment=dict(jitter_strength=0.2, jitter_probability=0.8, blur=True),
)
train_dataloader = dict(
    dataset=dict(target=dict(data_prefix=dict(seg_map_path='work_dirs/camvid/proda_stage1/pseudo_labels')))
)

load_from = 'work_dirs/camvid/proda_stage1/latest.pth'

name = 'camvid_proda_stage2'
exp = 'camvid'
