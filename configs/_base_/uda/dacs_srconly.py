_base_ = ['dacs.py']

# Supervised training with the masked pass of MIC, on the source images.
uda = dict(source_only=True)
