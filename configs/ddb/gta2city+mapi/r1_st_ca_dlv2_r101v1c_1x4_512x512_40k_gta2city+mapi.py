# DDB (arXiv:2209.07695), round 1, step 1, class path: GTA -> Cityscapes and Mapillary.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/models/deeplabv2red_r101v1c-d8_adapter.py',
    '../../_base_/datasets/st_gta2city+mapi_512x512.py',
    '../../_base_/uda/st.py',
    '../../_base_/schedules/adamw.py',
    '../../_base_/schedules/schedule_40k.py',
]

optim_wrapper = dict(optimizer=dict(lr=6e-5), paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=10.0))))

seed = 0
n_gpus = 1
name = 'r1_st_ca_dlv2_r101v1c_1x4_512x512_40k_gta2city+mapi'
exp = 'st'
