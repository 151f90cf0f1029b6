_base_ = ['dacs_fdthings.py']

uda = dict(teacher=dict(alpha=0.999))
