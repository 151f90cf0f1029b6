# CDDA as its published code does it: weights by the classes of the first pixel row, guidance by the last missing class.
_base_ = ['cdda.py']

uda = dict(depth_guidance=dict(weight_region='first_row', guidance_flag='last'))

name = 'demo_cdda_published'
