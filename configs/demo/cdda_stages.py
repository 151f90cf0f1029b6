# CDDA, whole, on the made-up street scenes: a bank of source crops, then DAFormer without guidance, with it, and with
# the guidance of the published code.
#   python run_experiments.py --config configs/demo/cdda_stages.py
name = 'cdda'
exp = 'demo'

stages = dict(
    bank=dict(
        tool='run_seg.py',
        args=[
            '--config',
            'configs/demo/cdda.py',
            '--dataset_name',
            'gta',
            '--source_preprocessed_path',
            '{output}',
            '--num_crops',
            '400',
        ],
        output='bank',
    ),
    daformer=dict(train='configs/demo/daformer.py'),
    test_daformer=dict(test='{daformer}'),
    cdda=dict(train='configs/demo/cdda.py', cfg_options={'uda.depth_guidance.bank': '{bank}'}),
    test_cdda=dict(test='{cdda}'),
    cdda_published=dict(train='configs/demo/cdda_published.py', cfg_options={'uda.depth_guidance.bank': '{bank}'}),
    test_cdda_published=dict(test='{cdda_published}'),
)
