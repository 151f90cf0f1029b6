# ProDA, stage 3: stage 2 once more, from its teacher's weights.
_base_ = [
    '../_base_/camvid_runtime.py',
    '../_base_/models/daformer_effnet_lite0_demo.py',
    '../_base_/datasets/pbal_pst_camvid_256x256.py',
    '../_base_/uda/proda_distill.py',
    '../_base_/schedules/demo.py',
]

model = dict(decode_head=dict(num_classes=11))
load_from = 'work_dirs/camvid/proda_stage2/latest.pth'
uda = dict(
    teachers=[
        dict(
            name='teacher',
            model='configs/camvid/proda_stage2.py',
            checkpoint='work_dirs/camvid/proda_stage2/latest.pth',
        ),
    ],
    source_augment=dict(jitter_strength=0.2, jitter_probability=0.8, blur=True),
)
train_dataloader = dict(
    dataset=dict(target=dict(data_prefix=dict(seg_map_path='work_dirs/camvid/proda_stage2/pseudo_labels')))
)

name = 'camvid_proda_stage3'
exp = 'camvid'
