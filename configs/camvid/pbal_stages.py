# PBAL, whole, on CamVid, day to dusk: the stages of GTA with other configs.
#   python run_experiments.py --config configs/camvid/pbal_stages.py
_base_ = ['../pbal/pbal_gta2cs_stages.py']

name = 'pbal'
exp = 'camvid'

stages = dict(
    warmup=dict(train='configs/camvid/pbal_warmup.py'),
    bpl=dict(train='configs/camvid/pbal_stage1_bpl.py'),
    # Published: both stages start anew, from ImageNet weights; that takes more iterations than there are here.
    pst=dict(train='configs/camvid/pbal_stage2_pst.py', load_from='{bpl}'),
    distill=dict(train='configs/camvid/pbal_stage3_distill.py', load_from='{pst}'),
    round2=dict(train='configs/camvid/pbal_stage3_distill_round2.py'),
)
