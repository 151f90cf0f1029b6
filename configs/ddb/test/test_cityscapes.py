# A DDB student on Cityscapes' validation images: for tools/test.py.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/models/deeplabv2red_r101v1c-d8_adapter.py',
    '../../_base_/datasets/test_cityscapes.py',
]

name = 'test_cityscapes'
exp = 'test'
