"""The benchmark on photographs: CamVid, day to dusk. CDDA has a stand-in for depth here, and says so in its name."""

from __future__ import annotations

from mmseg.experiments.benchmark.rows import Benchmark, Comparison, Row

_ROWS = (
    # Baselines of the network that most methods train.
    Row('source_only_plain', 'source-only without colour augmentation', 'source_only_plain_daformer', 'baseline',
        adapt_bn=True),
    Row('source_only', 'source-only', 'source_only_daformer', 'baseline', adapt_bn=True),
    Row('oracle', 'oracle: labels of the 62 dusk frames', 'oracle_daformer', 'baseline'),
    Row('oracle_both', 'oracle: labels of both domains', 'oracle_both_daformer', 'baseline'),
    # Methods.
    Row('advseg', 'AdvSeg', 'advseg_daformer', extends='source_only'),
    Row('minent', 'MinEnt', 'minent_daformer', extends='source_only'),
    Row('dacs', 'DACS', 'dacs_daformer', extends='source_only', teacher=True, adapt_bn=True),
    Row('dacs_x6', 'DACS, six times as long', 'dacs_daformer', extends='source_only', teacher=True, length=6),
    Row('daformer', 'DAFormer', 'daformer_daformer', extends='dacs', teacher=True, adapt_bn=True),
    Row('hrda', 'HRDA', 'hrda_daformer', extends='daformer', network='hrda', teacher=True),
    Row('mic', 'MIC on DAFormer', 'mic_daformer', extends='daformer', teacher=True),
    Row('mic_hrda', 'MIC on HRDA', 'mic_hrda_daformer', extends='hrda', network='hrda', teacher=True),
    Row('pmdav2', 'PMDAv2', 'pmdav2', extends='daformer', network='pmdav2', teacher=True),
    Row('proca', 'ProCA', 'proca_stages', extends='source_only'),
    Row('pbal', 'PBAL', 'pbal_stages', extends='source_only_pbal', network='pbal'),
    Row('proda', 'ProDA', 'proda_stages', extends='advseg'),
    Row('ddb', 'DDB', 'ddb_stages', extends='dacs'),
    Row('cdda_depth_stand_in', 'CDDA on DAFormer, stand-in depth', 'cdda_depth_stand_in', extends='daformer',
        teacher=True, bank=True),
    # Networks that a method brings along.
    Row('source_only_hrda', 'source-only, HRDA', 'source_only_hrda', 'network', network='hrda'),
    Row('oracle_both_hrda', 'oracle of both, HRDA', 'oracle_both_hrda', 'network', network='hrda'),
    Row('source_only_pmdav2', 'source-only, PMDAv2', 'source_only_pmdav2', 'network', network='pmdav2'),
    Row('oracle_both_pmdav2', 'oracle of both, PMDAv2', 'oracle_both_pmdav2', 'network', network='pmdav2'),
    Row('source_only_pbal', 'source-only, PBAL', 'source_only_pbal', 'network', network='pbal'),
    Row('oracle_both_pbal', 'oracle of both, PBAL', 'oracle_both_pbal', 'network', network='pbal'),
    # Combinations; those with CDDA need true depth.
    Row('mic_hrda_contrast', 'MIC on HRDA with prototype contrast', 'mic_hrda_contrast', 'combination', 'mic_hrda',
        'hrda', teacher=True),
    Row('ddb_daformer', "DDB with DAFormer's training", 'ddb_daformer_stages', 'combination', 'daformer'),
    # Controls: a method without what it adds.
    Row('pmdav2_plain', 'PMDAv2, plain 3x3 bottleneck', 'pmdav2', 'control', 'pmdav2', 'pmdav2', teacher=True,
        options={'train': {'model.decode_head.1.bottleneck_kernel_size': 3}}),
    Row('pbal_no_transport', 'PBAL, no transport', 'pbal_stages', 'control', 'pbal', 'pbal',
        options={'bpl': {'uda.transport': None}}),
    Row('proca_no_contrast', 'ProCA, no contrast', 'proca_stages', 'control', 'proca',
        options={'adapt': {'uda.feature_weight': 0.0, 'uda.output_weight': 0.0}}),
)  # fmt: skip

_COMPARISONS = (
    Comparison('MIC: masked images', 'mic', 'daformer'),
    Comparison('MIC on HRDA: masked images', 'mic_hrda', 'hrda'),
    Comparison('HRDA: two resolutions', 'hrda', 'daformer'),
    Comparison('PMDAv2: its context instead of a 3x3 convolution', 'pmdav2', 'pmdav2_plain'),
    Comparison('CDDA with stand-in depth: guidance', 'cdda_depth_stand_in', 'daformer'),
    Comparison('DDB: first student, to its better teacher', 'ddb', 'ddb', 'test_r1_student',
               ('test_r1_cu', 'test_r1_ca')),
    Comparison('DDB: second student, to its better teacher', 'ddb', 'ddb', 'test_r2_student',
               ('test_r2_cu', 'test_r2_ca')),
    Comparison('PBAL: transport in stage bpl', 'pbal', 'pbal_no_transport'),
    Comparison('ProCA: prototype contrast', 'proca', 'proca_no_contrast'),
    Comparison('MIC on HRDA: prototype contrast', 'mic_hrda_contrast', 'mic_hrda'),
    Comparison("DDB with DAFormer's training: student, to its better teacher", 'ddb_daformer', 'ddb_daformer',
               'test_student', ('test_cu', 'test_ca')),
    Comparison("DDB with DAFormer's training: to DAFormer", 'ddb_daformer', 'daformer'),
)  # fmt: skip

CAMVID = Benchmark(
    name='camvid',
    title='CamVid, day to dusk',
    configs='configs/camvid',
    data='data/camvid',
    data_advice='docs/camvid.md says where it comes from',
    # 40 000 is the published length.
    budgets={'cpu': 4000, 'gpu': 40000},
    adapt_bn='dacs_daformer',
    ends={
        'daformer': ('source_only', 'oracle_both'),
        'hrda': ('source_only_hrda', 'oracle_both_hrda'),
        'pmdav2': ('source_only_pmdav2', 'oracle_both_pmdav2'),
        'pbal': ('source_only_pbal', 'oracle_both_pbal'),
    },
    rows=_ROWS,
    comparisons=_COMPARISONS,
    pictures=False,
)
