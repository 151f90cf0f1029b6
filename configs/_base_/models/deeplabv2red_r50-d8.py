_base_ = ['deeplabv2_r50-d8.py']

# Two of the four dilations: the DeepLabV2 of AdaptSegNet and those who followed.
model = dict(decode_head=dict(dilations=(6, 12)))
