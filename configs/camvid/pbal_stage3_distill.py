# PBAL, stage 3: ProDA's distillation of stage 2.
_base_ = [
    '../_base_/camvid_runtime.py',
    '../_base_/models/pbal_effnet_lite0_demo.py',
    '../_base_/datasets/pbal_pst_camvid_256x256.py',
    '../_base_/uda/proda_distill.py',
    '../_base_/schedules/demo.py',
]

model = dict(decode_head=dict(num_classes=11))
uda = dict(
    teachers=[
        dict(
            name='teacher',
            model='configs/camvid/pbal_stage2_pst.py',
            checkpoint='work_dirs/camvid/pbal_stage2_pst/latest.pth',
        ),
    ],
    source_augment=dict(jitter_strength=0.2, jitter_probability=0.8, blur=True),
)
train_dataloader = dict(
    dataset=dict(target=dict(data_prefix=dict(seg_map_path='work_dirs/camvid/pbal_stage2_pst/pseudo_labels')))
)

load_from = 'work_dirs/camvid/pbal_stage2_pst/latest.pth'

name = 'camvid_pbal_stage3_distill'
exp = 'camvid'
