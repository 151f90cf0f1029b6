# A DDB student on Mapillary's, at half size: for tools/test.py.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/models/deeplabv2red_r101v1c-d8_adapter.py',
    '../../_base_/datasets/test_mapillary.py',
]

name = 'test_mapillary'
exp = 'test'
