# PBAL, whole, on the made-up street scenes: the stages of GTA with other configs.
#   python run_experiments.py --config configs/demo/pbal_stages.py
_base_ = ['../pbal/pbal_gta2cs_stages.py']

name = 'pbal'
exp = 'demo'

stages = dict(
    warmup=dict(train='configs/demo/pbal_warmup.py'),
    bpl=dict(train='configs/demo/pbal_stage1_bpl.py'),
    # Published: both stages start anew, from ImageNet weights; that takes more iterations than there are here.
    pst=dict(train='configs/demo/pbal_stage2_pst.py', load_from='{bpl}'),
    distill=dict(train='configs/demo/pbal_stage3_distill.py', load_from='{pst}'),
    round2=dict(train='configs/demo/pbal_stage3_distill_round2.py'),
)
