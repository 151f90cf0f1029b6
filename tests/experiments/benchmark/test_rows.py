"""Rows: what they train, how long, and that all they name is there."""

from __future__ import annotations

import functools

import pytest
import torch

from experiments import BENCHMARKS
from mmseg.engine.config import load_config
from mmseg.experiments.benchmark import DEMO
from mmseg.experiments.benchmark.budget import divided, preset_budget, preset_of
from mmseg.experiments.benchmark.collect import final_test
from mmseg.experiments.benchmark.row_stages import row_content
from mmseg.experiments.benchmark.rows import GROUPS, Row
from mmseg.models.uda import build_method
from tests.configs.test_configs import without_weights

ROWS = [(benchmark, row) for benchmark in BENCHMARKS.values() for row in benchmark.rows]
IDS = [f'{benchmark.name}-{row.name}' for benchmark, row in ROWS]


@functools.cache
def stages(benchmark_name: str, row_name: str, seed: int = 0) -> dict:
    benchmark = BENCHMARKS[benchmark_name]
    return row_content(benchmark, benchmark.row(row_name), seed, benchmark.budgets['cpu'], 'group')['stages']


def trainings(benchmark_name: str, row_name: str, seed: int = 0) -> dict:
    return {name: stage for name, stage in stages(benchmark_name, row_name, seed).items() if 'train' in stage}


@pytest.mark.parametrize(
    ('total', 'parts', 'expected'),
    [(1200, 1, [1200]), (1200, 5, [240] * 5), (4000, 6, [666] * 5 + [670]), (4000, 3, [1333, 1333, 1334])],
)
def test_a_budget_is_divided_evenly(total, parts, expected):
    assert divided(total, parts) == expected


def test_a_budget_that_is_too_small():
    with pytest.raises(ValueError, match='a budget of 5 iterations is too small for 6 trainings'):
        divided(5, 6)


@pytest.mark.parametrize(('benchmark', 'row'), ROWS, ids=IDS)
def test_every_row_takes_its_budget(benchmark, row):
    trained = trainings(benchmark.name, row.name, seed=2)
    lengths = [stage['cfg_options']['train_cfg.max_iters'] for stage in trained.values()]
    assert sum(lengths) == row.length * benchmark.budgets['cpu']
    assert max(lengths) - min(lengths) < len(lengths)
    for stage, length in zip(trained.values(), lengths, strict=True):
        options = stage['cfg_options']
        assert options['seed'] == 2
        # The last iterate is tested; looks at the target's scores before would be wasted.
        assert options['train_cfg.val_interval'] == options['default_hooks.panels.interval'] == length
    assert row.group in GROUPS
    assert row.is_chain == (len(trained) > 1)
    assert not row.extends or benchmark.row(row.extends)
    assert [name for name in benchmark.ends[row.network] if benchmark.row(name).network != row.network] == []


def test_the_long_row_is_as_long_as_the_longest_chain():
    for benchmark in BENCHMARKS.values():
        chains = [len(trainings(benchmark.name, row.name)) for row in benchmark.rows if row.is_chain]
        assert benchmark.row('dacs_x6').length == max(chains) == 6


@pytest.mark.parametrize('benchmark', BENCHMARKS.values(), ids=BENCHMARKS)
def test_names_are_unique_and_comparisons_are_of_tests_that_are_there(benchmark):
    names = [row.name for row in benchmark.rows]
    assert len(set(names)) == len(names) == len({row.title for row in benchmark.rows})
    for one in benchmark.comparisons:
        for row, tests in ((one.row, [one.test]), (one.base, one.base_tests or [''])):
            listed = stages(benchmark.name, row)
            assert all(not test or 'test' in listed[test] for test in tests), one.title
        # A control has the same network, so that its gain is not the network's.
        if benchmark.row(one.row).network != benchmark.row(one.base).network:
            assert one.row == 'hrda'


@pytest.mark.parametrize('benchmark', BENCHMARKS.values(), ids=BENCHMARKS)
def test_the_configs_of_all_trainings_resolve(benchmark):
    """With their options; two rows that train the same file with the same keys are read once."""
    seen = set()
    for row in benchmark.rows:
        for stage in trainings(benchmark.name, row.name).values():
            options = stage['cfg_options']
            if (key := (stage['train'], *options)) not in seen:
                cfg = load_config(stage['train'], options)
                assert cfg.train_cfg.max_iters == options['train_cfg.max_iters']
                assert cfg.exp == benchmark.name
                encoder = cfg.model.backbone.model_name, cfg.model.pretrained
                assert encoder == ('tf_efficientnet_lite0', 'pretrained/tf_efficientnet_lite0.pth'), stage['train']
            seen.add(key)
    assert load_config(benchmark.config_file(benchmark.adapt_bn)).train_dataloader.dataset.target


def test_cddas_schedule_follows_the_budget_and_its_thresholds_are_those_of_the_config():
    for name in ('cdda', 'cdda_mic', 'cdda_pmdav2', 'cdda_shuffled'):
        options = stages('demo', name)['train']['cfg_options']
        own = {key.rpartition('.')[2]: value for key, value in options.items() if 'depth_guidance' in key}
        assert own == {'bank': '{bank}', 'decay_begin': 300, 'decay_every': 30, 'decay_end': 1200}
        assert list(stages('demo', name))[:2] == ['bank', 'train']
    assert 'depth' in stages('camvid', 'cdda_depth_stand_in')


def built(benchmark: str, row: str, stage: str):
    training = stages(benchmark, row)[stage]
    options = {key: value for key, value in training['cfg_options'].items() if '{' not in str(value)}
    with torch.device('meta'):
        return build_method(without_weights(load_config(training['train'], options)))


@pytest.mark.parametrize('benchmark', BENCHMARKS)
def test_controls_lack_what_their_method_adds(benchmark):
    context = [type(built(benchmark, row, 'train').model.decode_head[1].ms) for row in ('pmdav2', 'pmdav2_plain')]
    assert context[0].__name__ != 'ConvModule' and context[1].__name__ == 'ConvModule'
    assert built(benchmark, 'pbal', 'bpl').transport is not None
    assert built(benchmark, 'pbal_no_transport', 'bpl').transport is None
    assert [len(built(benchmark, row, 'adapt').contrasts) for row in ('proca', 'proca_no_contrast')] == [2, 0]
    if benchmark == 'demo':
        regions = [built('demo', row, 'train').depth_guidance.weight_region for row in ('cdda', 'cdda_first_row')]
        assert regions == ['class', 'first_row']
        assert stages('demo', 'cdda_shuffled')['train']['cfg_options'][
            'train_dataloader.dataset.target.depth_of'
        ] == 'another'  # fmt: skip


def test_the_test_that_counts_is_plain():
    assert final_test(stages('demo', 'dacs')) == 'test'
    assert final_test(stages('demo', 'source_only')) == 'test'
    assert final_test(stages('demo', 'ddb')) == 'test_r2_student'
    # The last one of ProCA has test-time augmentation.
    assert final_test(stages('demo', 'proca')) == 'test_self_training'


def test_mistakes():
    with pytest.raises(ValueError, match=r'demo has no row daformr; did you mean daformer'):
        DEMO.row('daformr')
    with pytest.raises(ValueError, match='demo has no preset tpu; presets: cpu, gpu'):
        preset_budget(DEMO, 'tpu')
    wrong = Row('x', 'x', 'dacs', options={'warmup': {}})
    with pytest.raises(ValueError, match='row x: warmup is no training of configs/demo/dacs.py'):
        row_content(DEMO, wrong, 0, 100, 'demo')
    with pytest.raises(FileNotFoundError, match='config configs/demo/nothing_stages.py does not exist'):
        row_content(DEMO, Row('x', 'x', 'nothing_stages'), 0, 100, 'demo')


def test_the_preset_follows_from_the_length():
    assert preset_of(DEMO, DEMO.row('dacs'), 1200) == preset_of(DEMO, DEMO.row('dacs_x6'), 7200) == 'cpu'
    assert preset_of(DEMO, DEMO.row('dacs'), 12000) == 'gpu'
    assert preset_of(DEMO, DEMO.row('dacs_x6'), 600) == '100 iterations'
