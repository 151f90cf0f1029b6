# CDDA on HRDA and on MIC, which share a bank: GTA -> Cityscapes. The source crops, then the training.
#   python run_experiments.py --config configs/cdda/gtaHR2csHR_stages.py
name = 'gtaHR2csHR'
exp = 'cdda'

stages = dict(
    bank=dict(
        tool='run_seg.py',
        args=[
            '--config',
            'configs/cdda/gtaHR2csHR_cdda_hrda.py',
            '--dataset_name',
            'gta',
            '--source_preprocessed_path',
            '{output}',
        ],
        output='bank',
    ),
    hrda=dict(train='configs/cdda/gtaHR2csHR_cdda_hrda.py', cfg_options={'uda.depth_guidance.bank': '{bank}'}),
    test_hrda=dict(test='{hrda}'),
    mic=dict(train='configs/cdda/gtaHR2csHR_cdda_mic.py', cfg_options={'uda.depth_guidance.bank': '{bank}'}),
    test_mic=dict(test='{mic}'),
)
