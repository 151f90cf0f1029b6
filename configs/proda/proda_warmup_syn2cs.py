# ProDA, warm-up on SYNTHIA: AdaptSegNet's training with frozen batch norms, as its authors describe it.
_base_ = [
    '../_base_/proda_runtime.py',
    '../_base_/models/proda_r101.py',
    '../_base_/datasets/proda_synthia_to_cityscapes.py',
    '../_base_/datasets/synthia_16_classes.py',
    '../_base_/uda/advseg.py',
    '../_base_/schedules/sgd_pbal_adversarial.py',
]

val_dataloader = dict(dataset=dict(metainfo={{_base_.synthia_metainfo}}, label_map={{_base_.synthia_label_map}}))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='IoUMetric', iou_metrics=['mIoU'], subsets={{_base_.synthia_subsets}})
test_evaluator = val_evaluator

model = dict(decode_head=dict(num_classes=16), backbone=dict(norm_eval=True))
uda = dict(adversarial_weight=dict(_delete_=True, main=0.01), main_optimizer_steps_discriminators=False)
optim_wrapper = dict(main=dict(optimizer=dict(lr=2.5e-4)))
train_dataloader = dict(
    dataset=dict(
        source=dict(metainfo={{_base_.synthia_metainfo}}, label_map={{_base_.synthia_label_map}}),
        target=dict(
            metainfo={{_base_.synthia_metainfo}},
            label_map={{_base_.synthia_label_map}},
        ),
    )
)

n_gpus = 4
name = 'proda_warmup_syn2cs'
exp = 'proda'
