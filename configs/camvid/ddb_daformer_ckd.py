# DDB's distillation into a student with DAFormer's training: feature distance and rare class sampling.
_base_ = ['ddb_ckd.py']

# Both as in daformer_daformer.py.
uda = dict(feature_distance=dict(weight=0.005, classes=[2, 6, 8, 9, 10], min_ratio=0.75))
train_dataloader = dict(
    dataset=dict(
        source_order='random',
        rare_class_sampling=dict(min_pixels=300, class_temp=0.01, min_crop_ratio=0.5),
    )
)

name = 'camvid_ddb_daformer_ckd'
