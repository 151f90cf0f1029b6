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
        args=['{bpl.config}', '{bpl}', '--flip', '--threshold', '0.95', '--out-dir', '{output}'],
        output='labels',
    ),
    pst=dict(
        train='configs/pbal/pbal_stage2_pst_gta2cs.py',
        cfg_options={'train_dataloader.dataset.target.data_prefix.seg_map_path': '{pseudo_labels}'},
    ),
    test_pst=dict(test='{pst}'),
    pseudo_labels_pst=dict(
        tool='tools/make_pseudo_labels.py',
        args=['{pst.config}', '{pst}', '--flip', '--threshold', '0.95', '--out-dir', '{output}'],
        output='labels',
    ),
    # Stage 3: ProDA's distillation, twice.
    distill=dict(
        train='configs/pbal/pbal_stage3_distill_gta2cs.py',
        cfg_options={
            'uda.teachers.0.model': '{pst.config}',
            'uda.teachers.0.checkpoint': '{pst}',
            'train_dataloader.dataset.target.data_prefix.seg_map_path': '{pseudo_labels_pst}',
        },
    ),
    test_distill=dict(test='{distill}'),
    pseudo_labels_distill=dict(
        tool='tools/make_pseudo_labels.py',
        args=['{distill.config}', '{distill}', '--flip', '--threshold', '0.95', '--out-dir', '{output}'],
        output='labels',
    ),
    round2=dict(
        train='configs/pbal/pbal_stage3_distill_gta2cs_round2.py',
        load_from='{distill}',
        cfg_options={
            'uda.teachers.0.model': '{distill.config}',
            'uda.teachers.0.checkpoint': '{distill}',
            'train_dataloader.dataset.target.data_prefix.seg_map_path': '{pseudo_labels_distill}',
        },
    ),
    test_round2=dict(test='{round2}'),
)
