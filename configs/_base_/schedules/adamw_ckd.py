# DDB's name for it: the optimizer of the second step. Files of the original lay their rates over this one.
_base_ = ['adamw.py']
