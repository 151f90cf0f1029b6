# ProCA, whole: GTA -> Cityscapes.
#   python run_experiments.py --config configs/proca/gta5_deeplabv2_r101_stages.py --gpus 4
name = 'gta5_deeplabv2_r101'
exp = 'proca'

stages = dict(
    warmup=dict(train='configs/proca/gta5_deeplabv2_r101_src.py'),
    test_warmup=dict(test='{warmup}'),
    prototypes=dict(
        tool='tools/init_prototypes.py',
        args=['{warmup.config}', '{warmup}', '--out-dir', '{output}'],
        output='prototypes',
    ),
    adapt=dict(
        train='configs/proca/gta5_deeplabv2_r101_proca.py',
        load_from='{warmup}',
        cfg_options={'uda.prototypes': '{prototypes}'},
    ),
    test_adapt=dict(test='{adapt}'),
    pseudo_labels=dict(
        tool='tools/make_pseudo_labels.py',
        args=['{adapt.config}', '{adapt}', '--out-dir', '{output}'],
        output='labels',
    ),
    self_training=dict(
        train='configs/proca/gta5_deeplabv2_r101_ssl.py',
        cfg_options={'train_dataloader.dataset.data_prefix.seg_map_path': '{pseudo_labels}'},
    ),
    test_self_training=dict(test='{self_training}'),
    # Six scales and their mirror images, as the published scores.
    test_multi_scale=dict(test='{self_training}', args=['--tta']),
)
