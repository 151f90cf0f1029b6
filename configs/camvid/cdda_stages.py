# CDDA, whole, on CamVid with a stand-in for depth: the maps, the bank of source crops, the training.
#   python run_experiments.py --config configs/camvid/cdda_stages.py
name = 'cdda_depth_stand_in'
exp = 'camvid'

stages = dict(
    depth=dict(tool='tools/generate_depth.py', args=['data/camvid', '--dataset', 'camvid', '--model', 'flat-road']),
    bank=dict(
        tool='run_seg.py',
        args=[
            '--config',
            'configs/camvid/cdda_depth_stand_in.py',
            '--dataset_name',
            'camvid_day',
            '--source_preprocessed_path',
            '{output}',
        ],
        output='bank',
    ),
    cdda_depth_stand_in=dict(
        train='configs/camvid/cdda_depth_stand_in.py',
        cfg_options={'uda.depth_guidance.bank': '{bank}'},
    ),
    test_cdda_depth_stand_in=dict(test='{cdda_depth_stand_in}'),
)
