# DDB's two teachers and their student, all with DAFormer's training, on the made-up street scenes: one round.
#   python run_experiments.py --config configs/demo/ddb_daformer_stages.py
name = 'ddb_daformer'
exp = 'demo'

stages = dict(
    cu=dict(train='configs/demo/ddb_daformer_st_cu.py'),
    test_cu=dict(test='{cu}'),
    cu_prototypes=dict(
        tool='tools/cal_prototypes/cal_prototype.py',
        args=['{cu.config}', '--checkpoint', '{cu}', '--out', '{output}'],
        output='prototypes.pth',
    ),
    ca=dict(train='configs/demo/ddb_daformer_st_ca.py'),
    test_ca=dict(test='{ca}'),
    ca_prototypes=dict(
        tool='tools/cal_prototypes/cal_prototype.py',
        args=['{ca.config}', '--checkpoint', '{ca}', '--out', '{output}'],
        output='prototypes.pth',
    ),
    # Published: a student starts anew, from ImageNet weights; that takes more iterations than there are here.
    student=dict(
        train='configs/demo/ddb_daformer_ckd.py',
        load_from='{cu}',
        cfg_options={
            'uda.teachers.0.checkpoint': '{cu}',
            'uda.teachers.0.prototypes': '{cu_prototypes}',
            'uda.teachers.1.checkpoint': '{ca}',
            'uda.teachers.1.prototypes': '{ca_prototypes}',
        },
    ),
    test_student=dict(test='{student}'),
)
