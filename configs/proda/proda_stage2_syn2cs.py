# ProDA, stage 2: a student with self-supervised weights learns from stage 1 and its pseudo-labels.
_base_ = [
    '../_base_/proda_runtime.py',
    '../_base_/models/proda_simclr_r101.py',
    '../_base_/datasets/proda_synthia_to_cityscapes_pseudo.py',
    '../_base_/datasets/synthia_16_classes.py',
    '../_base_/uda/proda_distill.py',
    '../_base_/schedules/sgd_proda.py',
]

model = dict(decode_head=dict(num_classes=16))
val_dataloader = dict(dataset=dict(metainfo={{_base_.synthia_metainfo}}, label_map={{_base_.synthia_label_map}}))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='IoUMetric', iou_metrics=['mIoU'], subsets={{_base_.synthia_subsets}})
test_evaluator = val_evaluator

uda = dict(
    teachers=[
        dict(
            name='teacher',
            model='configs/proda/proda_stage1_syn2cs.py',
            checkpoint='work_dirs/proda_stage1_syn2cs/latest.pth',
        )
    ]
)
train_dataloader = dict(
    dataset=dict(
        source=dict(metainfo={{_base_.synthia_metainfo}}, label_map={{_base_.synthia_label_map}}),
        target=dict(
            data_prefix=dict(seg_map_path='work_dirs/proda_stage1_syn2cs/pseudo_labels'),
            metainfo={{_base_.synthia_metainfo}},
        ),
    )
)

n_gpus = 4
name = 'proda_stage2_syn2cs'
exp = 'proda'
