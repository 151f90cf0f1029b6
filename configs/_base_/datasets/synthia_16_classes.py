# SYNTHIA's 16 classes with numbers of their own: terrain, truck and train are ignored.
synthia_metainfo = dict(
    classes=[
        'road', 'sidewalk', 'building', 'wall', 'fence', 'pole', 'traffic light', 'traffic sign',
        'vegetation', 'sky', 'person', 'rider', 'car', 'bus', 'motorcycle', 'bicycle',
    ],
    palette=[
        [128, 64, 128], [244, 35, 232], [70, 70, 70], [102, 102, 156], [190, 153, 153],
        [153, 153, 153], [250, 170, 30], [220, 220, 0], [107, 142, 35], [70, 130, 180],
        [220, 20, 60], [255, 0, 0], [0, 0, 142], [0, 60, 100], [0, 0, 230], [119, 11, 32],
    ],
)  # fmt: skip
# Of the label files' names.
synthia_label_map = {
    'road': 'road',
    'sidewalk': 'sidewalk',
    'building': 'building',
    'wall': 'wall',
    'fence': 'fence',
    'pole': 'pole',
    'traffic light': 'traffic light',
    'traffic sign': 'traffic sign',
    'vegetation': 'vegetation',
    'terrain': None,
    'sky': 'sky',
    'person': 'person',
    'rider': 'rider',
    'car': 'car',
    'truck': None,
    'bus': 'bus',
    'train': None,
    'motorcycle': 'motorcycle',
    'bicycle': 'bicycle',
}
# The 13-class score leaves out wall, fence and pole.
synthia_subsets = dict(
    mIoU16=synthia_metainfo['classes'],
    mIoU13=[
        'road', 'sidewalk', 'building', 'traffic light', 'traffic sign',
        'vegetation', 'sky', 'person', 'rider', 'car', 'bus', 'motorcycle', 'bicycle',
    ],
)  # fmt: skip
