# CDDA on DAFormer: GTA -> Cityscapes. The source crops, then the training.
#   python run_experiments.py --config configs/cdda/gta2cs_stages.py
name = 'gta2cs'
exp = 'cdda'

stages = dict(
    bank=dict(
        tool='run_seg.py',
        args=[
            '--config',
            'configs/cdda/gta2cs_cdda_daformer.py',
            '--dataset_name',
            'gta',
            '--source_preprocessed_path',
            '{output}',
        ],
        output='bank',
    ),
    daformer=dict(train='configs/cdda/gta2cs_cdda_daformer.py', cfg_options={'uda.depth_guidance.bank': '{bank}'}),
    test_daformer=dict(test='{daformer}'),
)
