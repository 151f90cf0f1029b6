"""Numbers, tables, figures and the page, from records made up by hand."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmseg.experiments.benchmark import DEMO
from mmseg.experiments.benchmark.page import replace_sections
from mmseg.experiments.benchmark.scores import Line, Results
from mmseg.experiments.benchmark.tables import class_table, difference_table, score_table, stage_table
from tests.experiments.benchmark.made import record
from tools import benchmark_report

# Two seeds of most; the oracle has one, DACS has a third.
RECORDS = [
    record('source_only', 0, test=30.0, test_adabn=36.0),
    record('source_only', 1, test=34.0, test_adabn=38.0),
    record('oracle', 0, test=50.0),
    record('dacs', 0, test=40.0, test_teacher=41.0),
    record('dacs', 1, test=40.0, test_teacher=39.0),
    record('dacs', 2, test=46.0),
    record('daformer', 0, test=45.5),
    record('mic', 0, test=45.0),
    record('mic', 1, test=49.0),
    record('pmdav2', 0, test=42.0),
    record('ddb', 0, test_r2_student=41.0, test_r1_student=39.0, test_r1_cu=36.0, test_r1_ca=37.5, test_r2_cu=42.0,
           test_r2_ca=30.0),
]  # fmt: skip


def results(records=RECORDS):
    return Results(DEMO, records)


def cells(table: list[str], title: str) -> list[str]:
    found = [line for line in table if line.startswith(f'| {title} |')]
    assert len(found) == 1, title
    return [cell.strip() for cell in found[0].strip('|').split('|')]


def line(row: str, test: str = '') -> Line:
    return Line('', DEMO.row(row), test)


def test_gains_are_paired_by_seed():
    assert results().gains(line('dacs')) == {0: 10.0, 1: 6.0}
    assert results().gains(line('source_only', 'test_adabn')) == {0: 6.0, 1: 4.0}
    assert results().gap('daformer') == 20.0
    assert results().closed(line('dacs')) == {0: 50.0, 1: 30.0}
    # Its own network's source-only training was not run.
    assert results().gains(line('pmdav2')) == {} and results().gap('pmdav2') is None


def test_differences_are_those_of_seeds_that_both_have():
    by_title = {one.title: results().differences(one) for one in DEMO.comparisons}
    assert by_title['MIC: masked images'] == {0: -0.5}
    # The better teacher of each round.
    assert by_title['DDB: first student, to its better teacher'] == {0: 1.5}
    assert by_title['DDB: second student, to its better teacher'] == {0: -1.0}
    assert by_title['CDDA: guidance by depth'] == {}


def test_score_table():
    table = score_table(results(), 'results/demo')
    assert len({line.count('|') for line in table}) == 1
    links = '[0](results/demo/source_only_s0.json) [1](results/demo/source_only_s1.json)'
    assert cells(table, 'source-only')[1:] == ['32.0 ± 2.8', links, '–', '–', '–', '2.00', '1001']
    assert cells(table, 'source-only + AdaBN')[1:5] == ['37.0 ± 1.4', links, '+5.0 ± 1.4', '25 %']
    dacs = cells(table, 'DACS')
    assert (dacs[1], dacs[3], dacs[4], dacs[5]) == ('42.0 ± 3.5', '+8.0 ± 2.8', '40 %', '40.0 ± 1.4')
    assert cells(table, 'DAFormer')[3:6] == ['+15.5', '78 %', 'not run']
    assert cells(table, 'PMDAv2')[1:6] == [
        '42.0',
        '[0](results/demo/pmdav2_s0.json)',
        'source-only not run',
        'source-only not run',
        'not run',
    ]
    assert cells(table, 'CDDA on DAFormer')[1:] == ['not run', '–', 'not run', 'not run', 'not run', 'not run',
                                                    'not run']  # fmt: skip
    assert cells(table, 'oracle: labels of the target')[3:6] == ['–', '–', '–']


def test_what_loses_has_a_minus():
    table = score_table(results([*RECORDS, record('advseg', 0, test=25.0)]), 'x')
    assert cells(table, 'AdvSeg')[3:5] == ['−5.0', '−25 %']


def test_a_gap_without_its_oracle_says_so():
    found = results([*RECORDS, record('source_only_pmdav2', 0, test=30.0)])
    assert cells(score_table(found, 'x'), 'PMDAv2')[3:5] == ['+12.0', 'oracle not run']
    assert found.missing(line('pmdav2')) == 'oracle not run' and found.missing(line('cdda')) == 'not run'


def test_difference_table():
    table = difference_table(results())
    assert len(cells(table, 'MIC: masked images')) == 7
    assert cells(table, 'MIC: masked images')[1:] == ['`mic`', '`daformer`', '−0.5', 'not run', 'not run', '−0.5']
    assert cells(table, 'DDB: first student, to its better teacher')[2] == '`ddb test_r1_cu / ddb test_r1_ca`'
    more = difference_table(results([*RECORDS, record('daformer', 1, test=47.0)]))
    assert cells(more, 'MIC: masked images')[3:] == ['−0.5', '+2.0', 'not run', '+0.8 ± 1.8']


def chain(seed: int, warmup: float, adapt: float):
    made = record('proca', seed, test_warmup=warmup, test_adapt=adapt, test_multi_scale=99.0)
    trainings = {name: replace(made.trainings['train'], iterations=600) for name in ('warmup', 'adapt')}
    tests = {name: replace(test, training=name.removeprefix('test_')) for name, test in made.tests.items()}
    tests['test_multi_scale'] = replace(tests['test_multi_scale'], training='adapt', options=('tta',))
    return replace(made, trainings=trainings, tests=tests)


def test_stage_table():
    table = stage_table(results([chain(0, 30.0, 40.0), chain(1, 31.0, 38.0), record('dacs', 0, test=1.0)]))
    assert cells(table, 'ProCA')[1:] == ['600', 'warmup 30.5 · adapt 39.0']
    assert cells(table, 'DDB')[1:] == ['not run', 'not run']
    # Rows of one training have no stages.
    assert 'DACS' not in ''.join(table)


def test_class_table():
    table = class_table(results())
    assert cells(table, 'DACS') == ['DACS', '43.0', '–']
    assert cells(table, 'source-only + AdaBN') == ['source-only + AdaBN', '38.0', '–']
    assert table[-1].startswith('Not run: source-only without colour augmentation; ') and 'CDDA on MIC;' in table[-1]
    # Controls are not shown.
    assert 'bottleneck' not in ''.join(table)


def test_nothing_was_run():
    nothing = results([])
    assert cells(score_table(nothing, 'x'), 'DACS')[1:] == ['not run', '–'] + ['not run'] * 5
    assert cells(difference_table(nothing), 'MIC: masked images')[3:] == ['not run', 'not run']
    assert class_table(nothing)[0].startswith('Not run: ')


def test_records_that_do_not_belong():
    with pytest.raises(ValueError, match='a second record of dacs_s0'):
        results([*RECORDS, record('dacs', 0, test=1.0)])
    with pytest.raises(ValueError, match='demo has no row old'):
        results([record('old', 0, test=1.0)])
    with pytest.raises(ValueError, match='camvid has no row dacs'):
        results([record('dacs', 0, benchmark='camvid', test=1.0)])


def test_the_prose_of_a_page_stays():
    text = 'a\n<!-- begin x -->\nold\n<!-- end x -->\nb\n<!-- begin y z -->\n<!-- end y z -->\n'
    sections = {
        'x': lambda: ['1', '2'],
        'y z': lambda: ['3'],
        'unused': lambda: pytest.fail('the page does not show it'),
    }
    new = replace_sections(text, sections, 'page')
    expected = 'a\n<!-- begin x -->\n1\n2\n<!-- end x -->\nb\n<!-- begin y z -->\n3\n<!-- end y z -->\n'
    assert new == expected and replace_sections(new, sections, 'page') == expected


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('<!-- begin x -->\n', 'page: expected "<!-- begin x -->" once and "<!-- end x -->" once after it'),
        ('<!-- end x -->\n<!-- begin x -->\n', 'once after it'),
        ('<!-- begin x -->\n<!-- end x -->\n<!-- begin x -->\n<!-- end x -->\n', 'once and'),
        ('<!-- begin q -->\n<!-- end q -->\n', 'there is no section q; sections: x'),
        ('text\n', 'page: no marks like "<!-- begin x -->" in it'),
    ],
)
def test_broken_pages(text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        replace_sections(text, {'x': list}, 'page')


@pytest.fixture
def docs(tmp_path, monkeypatch):
    """Records with a picture, and a page with all sections."""
    monkeypatch.chdir(tmp_path)
    place = Path('docs/results/demo')
    for one in RECORDS:
        one.write(place / f'{one.name}.json')
    strip = Image.fromarray(np.tile(np.arange(2, dtype=np.uint8), (128, 384))).convert('P')
    strip.putpalette([128, 64, 128, 0, 0, 142] + [0] * 762)
    (place / 'pictures').mkdir()
    strip.save(place / 'pictures/truth.png')
    strip.save(place / 'pictures/dacs_s0.png')
    strip.convert('RGB').save(place / 'pictures/images.jpg')
    path = place / 'dacs_s0.json'
    path.write_text(json.dumps({**json.loads(path.read_text()), 'picture': 'pictures/dacs_s0.png'}))
    Path('docs/results/camvid').mkdir()
    Path('docs/results/unrelated').mkdir()
    # Of another length, which the page does not show.
    shutil.copytree(place, 'docs/results/demo-200')
    names = [f'{name} {part}' for name in ('demo', 'camvid')
             for part in ('environment', 'scores', 'differences', 'stages', 'classes', 'gap', 'sheet')]  # fmt: skip
    marks = [f'<!-- begin {name} -->\n<!-- end {name} -->' for name in names]
    Path('docs/benchmarks.md').write_text('\n'.join(['# Benchmarks', *marks, 'The end.']) + '\n')
    return tmp_path


def test_one_command_renews_page_and_figures(docs):
    benchmark_report.main([])
    text = Path('docs/benchmarks.md').read_text()
    assert text.startswith('# Benchmarks\n') and text.endswith('The end.\n')
    # Every number leads to its file.
    links = re.findall(r'\]\((results/[^)]+)\)', text)
    assert links and all((Path('docs') / link).is_file() for link in links)
    assert '[0](results/demo/dacs_s0.json)' in text
    assert '- CPU, torch 2.9, Python 3.11: 11 rows (each seed counts), 2026-11-21' in text
    assert '![Share of the gap closed](images/benchmarks/demo_gap.png)' in text
    assert '![A row per method](images/benchmarks/demo_sheet.png)' in text
    # Nothing of the other benchmark was run.
    assert 'The images are not ours to give away.' in text
    assert 'python -m tools.compare work_dirs/local-camvid/source_only_s0/train work_dirs/local-camvid/dacs_s0/' in text
    assert 'Share of the gap closed: nothing to show yet.' in text and 'No rows were run yet.' in text
    images = Path('docs/images/benchmarks')
    assert sorted(path.name for path in images.iterdir()) == ['demo_gap.png', 'demo_sheet.png']
    before = {path: path.read_bytes() for path in [*images.iterdir(), Path('docs/benchmarks.md')]}
    shutil.rmtree(images)
    benchmark_report.main([])
    assert all(path.read_bytes() == content for path, content in before.items())


def test_the_sheet_has_a_row_per_picture(docs):
    benchmark_report.main([])
    with Image.open('docs/images/benchmarks/demo_sheet.png') as sheet:
        pixels = np.asarray(sheet.convert('RGB')).astype(int)
        assert sheet.width == 768 + 40
    cars = (np.abs(pixels - [0, 0, 142]).max(axis=-1) < 4).sum(axis=1) > 300
    # Truth and DACS; the photograph's colours are those of a JPEG.
    assert (np.diff(cars.astype(int)) == 1).sum() >= 2
    Path('docs/results/demo/pictures/dacs_s0.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'pictures/dacs_s0.png: no such file; record the row again'):
        benchmark_report.main([])


def test_missing_page_or_records(docs):
    with pytest.raises(FileNotFoundError, match=r'nothing.md: no such page'):
        benchmark_report.main(['--page', 'nothing.md'])
    with pytest.raises(FileNotFoundError, match='nowhere: no such folder of records'):
        benchmark_report.main(['--results', 'nowhere'])


def test_the_committed_page_is_the_one_of_the_committed_records(tmp_path):
    from mmseg.engine.errors import ROOT

    shutil.copytree(ROOT / 'docs/results', tmp_path / 'docs/results')
    page = tmp_path / 'docs/benchmarks.md'
    shutil.copy(ROOT / 'docs/benchmarks.md', page)
    words = ['--results', tmp_path / 'docs/results', '--page', page, '--images', tmp_path / 'docs/images/benchmarks']
    benchmark_report.main(list(map(str, words)))
    assert page.read_text() == (ROOT / 'docs/benchmarks.md').read_text()
    committed = [*(ROOT / 'docs/images/benchmarks').iterdir(), *(ROOT / 'docs/results').glob('*/pictures/*')]
    assert sum(path.stat().st_size for path in committed) < 1e6
    assert not any('camvid' in path.as_posix() and path.name != 'camvid_gap.png' for path in committed), 'not ours'
