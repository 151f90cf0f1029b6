_base_ = ['dacs.py']

# Distance to the ImageNet features at every position.
uda = dict(feature_distance=dict(weight=0.005, classes=None))
