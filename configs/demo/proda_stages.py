# ProDA, whole, on the made-up street scenes: the stages of GTA with other configs.
#   python run_experiments.py --config configs/demo/proda_stages.py
_base_ = ['../proda/proda_gta2cs_stages.py']

name = 'proda'
exp = 'demo'

stages = dict(
    warmup=dict(train='configs/demo/proda_warmup.py'),
    stage1=dict(train='configs/demo/proda_stage1.py'),
    # The published stage starts anew, from ImageNet weights; that takes more iterations than there are here.
    stage2=dict(train='configs/demo/proda_stage2.py', load_from='{stage1}'),
    stage3=dict(train='configs/demo/proda_stage3.py'),
)
