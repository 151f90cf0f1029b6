# DDB's name for it. The 40 000 iterations are in default_runtime.py.
_base_ = ['poly10warm.py']
