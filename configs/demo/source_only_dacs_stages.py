# Source-only training, DACS from its last iterate, and the scores of both.
#   python run_experiments.py --config configs/demo/source_only_dacs_stages.py
name = 'source_only_dacs'
exp = 'demo'

stages = dict(
    source_only=dict(train='configs/demo/source_only.py'),
    test_source_only=dict(test='{source_only}'),
    dacs=dict(train='configs/demo/dacs.py', load_from='{source_only}'),
    test_dacs=dict(test='{dacs}'),
)
