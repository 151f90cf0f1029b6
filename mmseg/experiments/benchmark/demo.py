"""The benchmark on the demo's made-up street scenes: game-like to camera-like, with true depth."""

from __future__ import annotations

from mmseg.experiments.benchmark.rows import Benchmark, Comparison, Row

_ROWS = (
    # Baselines of the network that most methods train.
    Row('source_only_plain', 'source-only without colour augmentation', 'source_only_plain', 'baseline', adapt_bn=True),
    Row('source_only', 'source-only', 'source_only', 'baseline', adapt_bn=True),
    Row('oracle', 'oracle: labels of the target', 'oracle', 'baseline'),
    # Methods.
    Row('advseg', 'AdvSeg', 'advseg', extends='source_only'),
    Row('minent', 'MinEnt', 'minent', extends='source_only'),
    Row('dacs', 'DACS', 'dacs', extends='source_only', teacher=True, adapt_bn=True),
    Row('dacs_x6', 'DACS, six times as long', 'dacs', extends='source_only', teacher=True, length=6),
    Row('daformer', 'DAFormer', 'daformer', extends='dacs', teacher=True, adapt_bn=True),
    Row('hrda', 'HRDA', 'hrda', extends='daformer', network='hrda', teacher=True),
    Row('mic', 'MIC on DAFormer', 'mic', extends='daformer', teacher=True),
    Row('mic_hrda', 'MIC on HRDA', 'mic_hrda', extends='hrda', network='hrda', teacher=True),
    Row('pmdav2', 'PMDAv2', 'pmdav2', extends='daformer', network='pmdav2', teacher=True),
    Row('proca', 'ProCA', 'proca_stages', extends='source_only'),
    Row('pbal', 'PBAL', 'pbal_stages', extends='source_only_pbal', network='pbal'),
    Row('proda', 'ProDA', 'proda_stages', extends='advseg'),
    Row('ddb', 'DDB', 'ddb_stages', extends='dacs'),
    Row('cdda', 'CDDA on DAFormer', 'cdda', extends='daformer', teacher=True, bank=True),
    Row('cdda_mic', 'CDDA on MIC', 'cdda_mic', extends='mic', teacher=True, bank=True),
    # Networks that a method brings along.
    Row('source_only_hrda', 'source-only, HRDA', 'source_only_hrda', 'network', network='hrda'),
    Row('oracle_hrda', 'oracle, HRDA', 'oracle_hrda', 'network', network='hrda'),
    Row('source_only_pmdav2', 'source-only, PMDAv2', 'source_only_pmdav2', 'network', network='pmdav2'),
    Row('oracle_pmdav2', 'oracle, PMDAv2', 'oracle_pmdav2', 'network', network='pmdav2'),
    Row('source_only_pbal', 'source-only, PBAL', 'source_only_pbal', 'network', network='pbal'),
    Row('oracle_pbal', 'oracle, PBAL', 'oracle_pbal', 'network', network='pbal'),
    # Combinations.
    Row('cdda_pmdav2', 'CDDA on PMDAv2', 'cdda_pmdav2', 'combination', 'pmdav2', 'pmdav2', teacher=True, bank=True),
    Row('mic_hrda_contrast', 'MIC on HRDA with prototype contrast', 'mic_hrda_contrast', 'combination', 'mic_hrda',
        'hrda', teacher=True),
    Row('ddb_daformer', "DDB with DAFormer's training", 'ddb_daformer_stages', 'combination', 'daformer'),
    # Controls: a method without what it adds.
    Row('cdda_shuffled', 'CDDA, depth of other images', 'cdda', 'control', 'cdda', teacher=True, bank=True,
        options={'train': {'train_dataloader.dataset.target.depth_of': 'another'}}),
    Row('cdda_first_row', 'CDDA, weight_region first_row', 'cdda', 'control', 'cdda', teacher=True, bank=True,
        options={'train': {'uda.depth_guidance.weight_region': 'first_row'}}),
    Row('pmdav2_plain', 'PMDAv2, plain 3x3 bottleneck', 'pmdav2', 'control', 'pmdav2', 'pmdav2', teacher=True,
        options={'train': {'model.decode_head.1.bottleneck_kernel_size': 3}}),
    Row('pbal_no_transport', 'PBAL, no transport', 'pbal_stages', 'control', 'pbal', 'pbal',
        options={'bpl': {'uda.transport': None}}),
    Row('proca_no_contrast', 'ProCA, no contrast', 'proca_stages', 'control', 'proca',
        options={'adapt': {'uda.feature_weight': 0.0, 'uda.output_weight': 0.0}}),
)  # fmt: skip

_DDB_TEACHERS = ('test_r1_cu', 'test_r1_ca'), ('test_r2_cu', 'test_r2_ca')

_COMPARISONS = (
    Comparison('MIC: masked images', 'mic', 'daformer'),
    Comparison('MIC on HRDA: masked images', 'mic_hrda', 'hrda'),
    Comparison('HRDA: two resolutions', 'hrda', 'daformer'),
    Comparison('PMDAv2: its context instead of a 3x3 convolution', 'pmdav2', 'pmdav2_plain'),
    Comparison('CDDA: guidance by depth', 'cdda', 'daformer'),
    Comparison('CDDA on MIC: guidance by depth', 'cdda_mic', 'mic'),
    Comparison("CDDA: each image's own depth instead of another's", 'cdda', 'cdda_shuffled'),
    Comparison('CDDA: weight_region class instead of first_row', 'cdda', 'cdda_first_row'),
    Comparison('DDB: first student, to its better teacher', 'ddb', 'ddb', 'test_r1_student', _DDB_TEACHERS[0]),
    Comparison('DDB: second student, to its better teacher', 'ddb', 'ddb', 'test_r2_student', _DDB_TEACHERS[1]),
    Comparison('PBAL: transport in stage bpl', 'pbal', 'pbal_no_transport'),
    Comparison('ProCA: prototype contrast', 'proca', 'proca_no_contrast'),
    Comparison('CDDA on PMDAv2: guidance by depth', 'cdda_pmdav2', 'pmdav2'),
    Comparison('MIC on HRDA: prototype contrast', 'mic_hrda_contrast', 'mic_hrda'),
    Comparison("DDB with DAFormer's training: student, to its better teacher", 'ddb_daformer', 'ddb_daformer',
               'test_student', ('test_cu', 'test_ca')),
    Comparison("DDB with DAFormer's training: to DAFormer", 'ddb_daformer', 'daformer'),
)  # fmt: skip

DEMO = Benchmark(
    name='demo',
    title='Demo scenes, game-like to camera-like',
    configs='configs/demo',
    data='data/demo',
    data_advice='bash tools/demo.sh makes it',
    budgets={'cpu': 1200, 'gpu': 12000},
    adapt_bn='dacs',
    ends={
        'daformer': ('source_only', 'oracle'),
        'hrda': ('source_only_hrda', 'oracle_hrda'),
        'pmdav2': ('source_only_pmdav2', 'oracle_pmdav2'),
        'pbal': ('source_only_pbal', 'oracle_pbal'),
    },
    rows=_ROWS,
    comparisons=_COMPARISONS,
)
