# DeepLabV2's head has no batch norm: at ten times the demo's rate its loss starts with a jump.
_base_ = ['demo.py']

optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=1.0))))
