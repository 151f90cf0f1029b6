_base_ = ['cityscapes_val_2048x1024.py']

# SYNTHIA has no terrain, truck and train; the 13-class score leaves out wall, fence and pole too.
val_evaluator = dict(
    subsets=dict(
        mIoU16=[
            'road', 'sidewalk', 'building', 'wall', 'fence', 'pole', 'traffic light', 'traffic sign',
            'vegetation', 'sky', 'person', 'rider', 'car', 'bus', 'motorcycle', 'bicycle',
        ],
        mIoU13=[
            'road', 'sidewalk', 'building', 'traffic light', 'traffic sign',
            'vegetation', 'sky', 'person', 'rider', 'car', 'bus', 'motorcycle', 'bicycle',
        ],
    )
)  # fmt: skip
test_evaluator = val_evaluator
