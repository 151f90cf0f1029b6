# ProDA, whole, on CamVid, day to dusk: the stages of GTA with other configs.
#   python run_experiments.py --config configs/camvid/proda_stages.py
_base_ = ['../proda/proda_gta2cs_stages.py']

name = 'proda'
exp = 'camvid'

stages = dict(
    warmup=dict(train='configs/camvid/proda_warmup.py'),
    stage1=dict(train='configs/camvid/proda_stage1.py'),
    # The published stage starts anew, from ImageNet weights; that takes more iterations than there are here.
    stage2=dict(train='configs/camvid/proda_stage2.py', load_from='{stage1}'),
    stage3=dict(train='configs/camvid/proda_stage3.py'),
)
