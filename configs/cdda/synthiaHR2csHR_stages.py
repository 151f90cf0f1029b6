# CDDA on HRDA and on MIC, which share a bank: SYNTHIA -> Cityscapes. The source crops, then the training.
#   python run_experiments.py --config configs/cdda/synthiaHR2csHR_stages.py
name = 'synthiaHR2csHR'
exp = 'cdda'

stages = dict(
    bank=dict(
        tool='run_seg.py',
        args=[
            '--config',
            'configs/cdda/synthiaHR2csHR_cdda_hrda.py',
            '--dataset_name',
            'synthia',
            '--source_preprocessed_path',
            '{output}',
        ],
        output='bank',
    ),
    hrda=dict(train='configs/cdda/synthiaHR2csHR_cdda_hrda.py', cfg_options={'uda.depth_guidance.bank': '{bank}'}),
    test_hrda=dict(test='{hrda}'),
    mic=dict(train='configs/cdda/synthiaHR2csHR_cdda_mic.py', cfg_options={'uda.depth_guidance.bank': '{bank}'}),
    test_mic=dict(test='{mic}'),
)
