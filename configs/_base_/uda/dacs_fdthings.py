_base_ = ['dacs.py']

# Things: light, sign, person, rider, car, truck, bus, train, motorcycle, bicycle.
uda = dict(feature_distance=dict(weight=0.005, classes=[6, 7, 11, 12, 13, 14, 15, 16, 17, 18], min_ratio=0.75))
