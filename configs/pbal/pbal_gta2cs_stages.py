# PBAL, whole: GTA -> Cityscapes.
#   python run_experiments.py --config configs/pbal/pbal_gta2cs_stages.py --gpus 2
# With the authors' warm-up: --provide warmup=pretrained/warm_up_gta_to_city.pkl
name = 'pbal_gta2cs'
exp = 'pbal'

stages = dict(
    warmup=dict(train='configs/pbal/pbal_warmup_gta2cs.py'),
    test_warmup=dict(test='{warmup}'),
    bpl=dict(train='configs/pbal/pbal_stage1_bpl_gta2cs.py', load_from='{warmup}'),
    test_bpl=dict(test='{bpl}'),
    pseudo_labels=dict(
        tool='tools/make_pseudo_labels.py',
        args=['{bpl.config}', '{bpl}', '--out-dir', '{output}', '--flip', '--threshold', '0.95'],
        output='labels',
    ),
    pst=dict(
        train='configs/pbal/pbal_stage2_pst_gta2cs.py',
        cfg_options={'train_dataloader.dataset.target.data_prefix.seg_map_path': '{pseudo_labels}'},
    ),
    test_pst=dict(test='{pst}'),
    pseudo_labels_pst=dict(
        tool='tools/make_pseudo_labels.py',
        args=['{pst.config}', '{pst}', '--out-dir', '{output}', '--flip', '--threshold', '0.95'],
        output='labels',
    ),
    # Stage 3: ProDA's distillation.
)
