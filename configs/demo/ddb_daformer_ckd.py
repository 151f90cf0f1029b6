# DDB's distillation into a student with DAFormer's training: feature distance, rare class sampling and margins.
_base_ = ['ddb_ckd.py']

# These three as in daformer.py.
uda = dict(
    feature_distance=dict(weight=0.005, classes=[6, 7, 11, 12, 13, 14, 15, 16, 17, 18], min_ratio=0.75),
    pseudo_labels=dict(ignore_bottom=30),
)
train_dataloader = dict(
    dataset=dict(
        source_order='random',
        rare_class_sampling=dict(min_pixels=200, class_temp=0.01, min_crop_ratio=0.5),
    )
)

name = 'demo_ddb_daformer_ckd'
