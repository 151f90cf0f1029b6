# DDB, both rounds, on CamVid, day to dusk: the stages of GTA -> Cityscapes with other configs.
#   python run_experiments.py --config configs/camvid/ddb_stages.py
_base_ = ['../ddb/gtav2cityscapes_stages.py']

name = 'ddb'
exp = 'camvid'

stages = dict(
    r1_cu=dict(train='configs/camvid/ddb_st_cu.py'),
    r1_ca=dict(train='configs/camvid/ddb_st_ca.py'),
    # Published: students start anew, from ImageNet weights; that takes more iterations than there are here.
    r1_student=dict(train='configs/camvid/ddb_ckd.py', load_from='{r1_cu}'),
    r2_cu=dict(train='configs/camvid/ddb_st_cu.py', cfg_options={'optim_wrapper.optimizer.lr': 1e-4}),
    r2_ca=dict(train='configs/camvid/ddb_st_ca.py', cfg_options={'optim_wrapper.optimizer.lr': 1e-4}),
    r2_student=dict(train='configs/camvid/ddb_ckd.py', load_from='{r1_student}'),
)
