# MIC with HRDA's network and a prototype contrast beside its losses (docs/proca.md).
_base_ = ['mic_hrda.py']

uda = dict(contrast=dict(temperature=0.07, weight=0.1))

name = 'demo_mic_hrda_contrast'
