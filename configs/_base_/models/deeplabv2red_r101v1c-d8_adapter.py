_base_ = ['deeplabv2red_r50-d8_adapter.py']

model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
