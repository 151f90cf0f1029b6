# ProDA, whole: GTA -> Cityscapes.
#   python run_experiments.py --config configs/proda/proda_gta2cs_stages.py --gpus 4
# With the authors' warm-up: --provide warmup=FILE.pkl
name = 'proda_gta2cs'
exp = 'proda'

stages = dict(
    warmup=dict(train='configs/proda/proda_warmup_gta2cs.py'),
    test_warmup=dict(test='{warmup}'),
    prototypes=dict(
        tool='tools/init_prototypes.py',
        args=['{warmup.config}', '{warmup}', '--domain', 'target', '--out-dir', '{output}'],
        output='prototypes',
    ),
    soft_labels=dict(
        tool='tools/make_pseudo_labels.py',
        args=['{warmup.config}', '{warmup}', '--soft', '--threshold', '0', '--out-dir', '{output}'],
        output='labels',
    ),
    stage1=dict(
        train='configs/proda/proda_stage1_gta2cs.py',
        load_from='{warmup}',
        cfg_options={
            'uda.prototypes': '{prototypes}',
            'train_dataloader.dataset.target.data_prefix.seg_map_path': '{soft_labels}',
        },
    ),
    test_stage1=dict(test='{stage1}'),
    pseudo_labels=dict(
        tool='tools/make_pseudo_labels.py',
        args=['{stage1.config}', '{stage1}', '--flip', '--threshold', '0.95', '--out-dir', '{output}'],
        output='labels',
    ),
    stage2=dict(
        train='configs/proda/proda_stage2_gta2cs.py',
        cfg_options={
            'uda.teachers.0.model': '{stage1.config}',
            'uda.teachers.0.checkpoint': '{stage1}',
            'train_dataloader.dataset.target.data_prefix.seg_map_path': '{pseudo_labels}',
        },
    ),
    test_stage2=dict(test='{stage2}'),
    pseudo_labels_2=dict(
        tool='tools/make_pseudo_labels.py',
        args=['{stage2.config}', '{stage2}', '--flip', '--threshold', '0.95', '--out-dir', '{output}'],
        output='labels',
    ),
    stage3=dict(
        train='configs/proda/proda_stage3_gta2cs.py',
        load_from='{stage2}',
        cfg_options={
            'uda.teachers.0.model': '{stage2.config}',
            'uda.teachers.0.checkpoint': '{stage2}',
            'train_dataloader.dataset.target.data_prefix.seg_map_path': '{pseudo_labels_2}',
        },
    ),
    test_stage3=dict(test='{stage3}'),
)
