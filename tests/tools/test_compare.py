"""``tools/compare.py`` puts the scores of runs side by side."""

import json

import pytest

from tools.compare import main


def evaluated(folder, miou, options=(), file='eval_latest.json'):
    folder.mkdir(exist_ok=True)
    scores = {'mIoU': miou, 'aAcc': 90.0, 'IoU.road': miou + 1, 'IoU.train': None}
    (folder / file).write_text(json.dumps({'scores': scores, 'options': list(options)}))
    return str(folder)


def cells(line):
    return [cell.strip() for cell in line.strip('│┃').replace('┃', '│').split('│')]


def lines(capsys, *arguments):
    main(list(arguments))
    return [cells(line) for line in capsys.readouterr().out.splitlines() if line]


def test_two_runs_share_a_table_with_the_gain(tmp_path, capsys):
    base, other = evaluated(tmp_path / 'base', 40.0), evaluated(tmp_path / 'other', 42.5)
    found = lines(capsys, base, other)
    assert ['', 'base', 'other', 'gain of other'] in found
    assert ['road', '41.00', '43.50', '+2.50'] in found and ['train', '-', '-', '-'] in found
    assert ['mIoU', '40.00', '42.50', '+2.50'] in found


def test_long_names_become_numbers_and_nothing_is_cut(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv('COLUMNS', '80')
    runs = [evaluated(tmp_path / f'a_run_with_a_long_name_{number}', 40.0 + number) for number in range(6)]
    found = lines(capsys, *runs)
    assert ['', '1', '2', '3', '4', '5', '6'] in found and ['', '2', '3', '4', '5', '6'] in found
    assert ['mIoU', *(f'{40 + number}.00' for number in range(6))] in found
    assert ['mIoU', *(f'+{number}.00' for number in range(1, 6))] in found
    assert found.count(['3 a_run_with_a_long_name_2']) == 2


def test_a_result_file_stands_for_another_evaluation(tmp_path, capsys):
    run = evaluated(tmp_path / 'run', 40.0)
    evaluated(tmp_path / 'run', 41.0, ['ema'], 'eval_latest_ema.json')
    teacher = f'{run}/eval_latest_ema.json'
    assert ['', 'run', 'run +ema', 'gain of run +ema'] in lines(capsys, run, teacher)
    with pytest.raises(ValueError, match=f'last iterate of a run predicts: give {run}'):
        main([run, teacher, '--sheet', str(tmp_path / 'sheet.png')])


def test_scores_of_an_earlier_iteration(tmp_path):
    run = tmp_path / 'run'
    evaluated(run, 40.0)
    content = json.loads((run / 'eval_latest.json').read_text())
    (run / 'eval_latest.json').write_text(json.dumps({**content, 'iteration': 3}))
    (run / 'iter_3.pth').touch()
    main([str(run)])
    (run / 'iter_6.pth').touch()
    with pytest.raises(ValueError, match='of iteration 3, but the run is at 6; evaluate it again: python'):
        main([str(run)])


def test_runs_in_folders_of_one_name(tmp_path, capsys):
    for row in ('dacs', 'daformer'):
        (tmp_path / row).mkdir()
    runs = [evaluated(tmp_path / row / 'train', 40.0) for row in ('dacs', 'daformer')]
    assert ['', 'dacs/train', 'daformer/train', 'gain of daformer/train'] in lines(capsys, *runs)


def test_mistakes(tmp_path):
    with pytest.raises(FileNotFoundError, match='not evaluated yet; run: python -m tools.test'):
        main([str(tmp_path)])
    with pytest.raises(ValueError, match='--images 0'):
        main([evaluated(tmp_path / 'run', 40.0), '--images', '0'])
    (tmp_path / 'x.json').write_text('{}')
    with pytest.raises(ValueError, match='not the result of an evaluation'):
        main([str(tmp_path / 'x.json')])
