# DDB's name for it. The length in the 0.x schema: default_runtime.py has a train_cfg, and two bases cannot share a key.
_base_ = ['poly10warm.py']
runner = dict(type='IterBasedRunner', max_iters=160000)
evaluation = dict(interval=16000)
