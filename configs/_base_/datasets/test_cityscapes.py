_base_ = ['cityscapes_val_1024x512.py']
