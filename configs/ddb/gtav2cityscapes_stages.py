# DDB, both rounds, with the published settings: GTA -> Cityscapes.
#   python run_experiments.py --config configs/ddb/gtav2cityscapes_stages.py
name = 'gtav2cityscapes'
exp = 'ddb'

stages = dict(
    r1_cu=dict(
        train='configs/ddb/gtav2cityscapes/r1_st_cu_dlv2_r101v1c_1x4_512x512_40k_gtav2cityscapes.py',
    ),
    test_r1_cu=dict(test='{r1_cu}'),
    r1_cu_prototypes=dict(
        tool='tools/cal_prototypes/cal_prototype.py',
        args=['{r1_cu.config}', '--checkpoint', '{r1_cu}', '--out', '{output}'],
        output='prototypes.pth',
    ),
    r1_ca=dict(
        train='configs/ddb/gtav2cityscapes/r1_st_ca_dlv2_r101v1c_1x4_512x512_40k_gtav2cityscapes.py',
    ),
    test_r1_ca=dict(test='{r1_ca}'),
    r1_ca_prototypes=dict(
        tool='tools/cal_prototypes/cal_prototype.py',
        args=['{r1_ca.config}', '--checkpoint', '{r1_ca}', '--out', '{output}'],
        output='prototypes.pth',
    ),
    r1_student=dict(
        train='configs/ddb/gtav2cityscapes/r1_ckd_dlv2_r101v1c_1x4_512x512_40k_gtav2cityscapes.py',
        cfg_options={
            'uda.teachers.0.checkpoint': '{r1_cu}',
            'uda.teachers.0.prototypes': '{r1_cu_prototypes}',
            'uda.teachers.1.checkpoint': '{r1_ca}',
            'uda.teachers.1.prototypes': '{r1_ca_prototypes}',
        },
    ),
    test_r1_student=dict(test='{r1_student}'),
    r2_cu=dict(
        train='configs/ddb/gtav2cityscapes/r2_st_cu_dlv2_r101v1c_1x4_512x512_40k_gtav2cityscapes.py',
        load_from='{r1_student}',
    ),
    test_r2_cu=dict(test='{r2_cu}'),
    r2_cu_prototypes=dict(
        tool='tools/cal_prototypes/cal_prototype.py',
        args=['{r2_cu.config}', '--checkpoint', '{r2_cu}', '--out', '{output}'],
        output='prototypes.pth',
    ),
    r2_ca=dict(
        train='configs/ddb/gtav2cityscapes/r2_st_ca_dlv2_r101v1c_1x4_512x512_40k_gtav2cityscapes.py',
        load_from='{r1_student}',
    ),
    test_r2_ca=dict(test='{r2_ca}'),
    r2_ca_prototypes=dict(
        tool='tools/cal_prototypes/cal_prototype.py',
        args=['{r2_ca.config}', '--checkpoint', '{r2_ca}', '--out', '{output}'],
        output='prototypes.pth',
    ),
    r2_student=dict(
        train='configs/ddb/gtav2cityscapes/r2_ckd_dlv2_r101v1c_1x4_512x512_40k_gtav2cityscapes.py',
        cfg_options={
            'uda.teachers.0.checkpoint': '{r2_cu}',
            'uda.teachers.0.prototypes': '{r2_cu_prototypes}',
            'uda.teachers.1.checkpoint': '{r2_ca}',
            'uda.teachers.1.prototypes': '{r2_ca_prototypes}',
        },
    ),
    test_r2_student=dict(test='{r2_student}'),
)
