# PBAL, whole: SYNTHIA -> Cityscapes, the stages of GTA with other configs.
_base_ = ['pbal_gta2cs_stages.py']

name = 'pbal_syn2cs'

stages = dict(
    warmup=dict(train='configs/pbal/pbal_warmup_syn2cs.py'),
    bpl=dict(train='configs/pbal/pbal_stage1_bpl_syn2cs.py'),
    pst=dict(train='configs/pbal/pbal_stage2_pst_syn2cs.py'),
    distill=dict(train='configs/pbal/pbal_stage3_distill_syn2cs.py'),
    round2=dict(train='configs/pbal/pbal_stage3_distill_syn2cs_round2.py'),
)
