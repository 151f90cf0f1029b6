# ProDA, whole: SYNTHIA -> Cityscapes, the stages of GTA with other configs.
#   python run_experiments.py --config configs/proda/proda_syn2cs_stages.py --gpus 4
_base_ = ['proda_gta2cs_stages.py']

name = 'proda_syn2cs'

stages = dict(
    warmup=dict(train='configs/proda/proda_warmup_syn2cs.py'),
    stage1=dict(train='configs/proda/proda_stage1_syn2cs.py'),
    stage2=dict(train='configs/proda/proda_stage2_syn2cs.py'),
    stage3=dict(train='configs/proda/proda_stage3_syn2cs.py'),
)
