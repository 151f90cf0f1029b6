# DDB, both rounds, on the made-up street scenes, two sources: the stages of GTA -> Cityscapes with other configs.
#   python run_experiments.py --config configs/demo/ddb_multi_source_stages.py
_base_ = ['../ddb/gtav2cityscapes_stages.py']

name = 'ddb_multi_source'
exp = 'demo'

stages = dict(
    r1_cu=dict(train='configs/demo/ddb_multi_source_st_cu.py'),
    r1_ca=dict(train='configs/demo/ddb_multi_source_st_ca.py'),
    # Published: students start anew, from ImageNet weights; that takes more iterations than there are here.
    r1_student=dict(train='configs/demo/ddb_multi_source_ckd.py', load_from='{r1_cu}'),
    r2_cu=dict(train='configs/demo/ddb_multi_source_st_cu.py', cfg_options={'optim_wrapper.optimizer.lr': 1e-4}),
    r2_ca=dict(train='configs/demo/ddb_multi_source_st_ca.py', cfg_options={'optim_wrapper.optimizer.lr': 1e-4}),
    r2_student=dict(train='configs/demo/ddb_multi_source_ckd.py', load_from='{r1_student}'),
)
