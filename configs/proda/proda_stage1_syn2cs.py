# ProDA, stage 1: the warm-up model (load_from), its soft labels and prototypes; labels rectified at every step.
_base_ = [
    '../_base_/proda_runtime.py',
    '../_base_/models/proda_r101.py',
    '../_base_/datasets/proda_synthia_to_cityscapes_soft.py',
    '../_base_/datasets/synthia_16_classes.py',
    '../_base_/uda/proda.py',
    '../_base_/schedules/sgd_proda.py',
]

model = dict(decode_head=dict(num_classes=16))
val_dataloader = dict(dataset=dict(metainfo={{_base_.synthia_metainfo}}, label_map={{_base_.synthia_label_map}}))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='IoUMetric', iou_metrics=['mIoU'], subsets={{_base_.synthia_subsets}})
test_evaluator = val_evaluator

load_from = 'work_dirs/proda_warmup_syn2cs/latest.pth'
uda = dict(prototypes='work_dirs/proda_warmup_syn2cs/prototypes', regulariser=None)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
train_dataloader = dict(
    dataset=dict(
        source=dict(metainfo={{_base_.synthia_metainfo}}, label_map={{_base_.synthia_label_map}}),
        target=dict(
            data_prefix=dict(seg_map_path='work_dirs/proda_warmup_syn2cs/soft_labels'),
            metainfo={{_base_.synthia_metainfo}},
        ),
    )
)

n_gpus = 4
name = 'proda_stage1_syn2cs'
exp = 'proda'
