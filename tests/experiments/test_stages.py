"""Experiments of several stages: what runs, what is skipped, what stops. Commands are only acted out."""

import json
from pathlib import Path

import pytest

import run_experiments
from mmseg.engine.config import load_config
from mmseg.experiments import process, running

CHAIN = """
exp = 'toy'
stages = dict(
    warmup=dict(train='configs/net.py'),
    test_warmup=dict(test='{warmup}'),
    bank=dict(tool='bank.py', args=['{warmup.config}', '{warmup}', '--out', '{output}'], output='bank.pth'),
    adapt=dict(train='configs/net.py', load_from='{warmup}', cfg_options={'uda.bank': '{bank}'}),
    test_adapt=dict(test='{adapt}', args=['--tta', '--show-dir', '{folder}/pictures']),
)
"""


class Commands:
    """Notes commands down and leaves the files that they would write."""

    def __init__(self):
        self.run, self.fail, self.texts = [], {}, {}

    def __call__(self, command, lock):
        kind, name = self.kind(command)
        self.run.append(name)
        folder = Path('work_dirs/local-toy/chain') / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / 'words.json').write_text(json.dumps(command))
        ending = self.fail.get(name, 0)
        if kind == 'train':
            iteration = 50 if ending else 100
            (folder / f'iter_{iteration}.pth').write_text(self.texts.get(name, name))
            (folder / 'latest.pth').write_text(self.texts.get(name, name))
        elif kind == 'test' and not ending:
            content = {'scores': {'mIoU': 40 + len(self.run), 'mIoU16': None}, 'iteration': 100, 'images': 3}
            (folder / 'eval_latest.json').write_text(json.dumps(content))
        elif kind == 'bank' and not ending:
            (folder / 'bank.pth').write_text(self.texts.get(name, name))
        if ending == 'signal':
            raise process.Stopped
        return ending

    @staticmethod
    def kind(command):
        script, first = Path(command[1]), command[2]
        if script.name == 'dist_train.sh' or script.stem == 'train':
            return 'train', Path(first).stem
        return (script.stem, Path(first).stem) if script.stem == 'test' else ('bank', 'bank')

    def words(self, name):
        return json.loads(Path(f'work_dirs/local-toy/chain/{name}/words.json').read_text())


@pytest.fixture
def commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('configs').mkdir()
    Path('configs/net.py').write_text(
        "model = dict(type='X')\nuda = dict(type='Y')\ntrain_cfg = dict(max_iters=100)\nlr = [1, 2]\n"
    )
    Path('bank.py').touch()
    Path('chain.py').write_text(CHAIN)
    acted = Commands()
    monkeypatch.setattr(process, 'run_command', acted)
    monkeypatch.setattr(running, 'git_state', lambda: 'a' * 12)
    return acted


def run(*words):
    run_experiments.main(['--config', 'chain', *words])


def refused(words, *options, error=ValueError):
    with pytest.raises(error) as caught:
        run(*options)
    message = str(caught.value)
    assert '\n' not in message
    for word in words:
        assert word in message
    return message


ALL = ['warmup', 'test_warmup', 'bank', 'adapt', 'test_adapt']
FOLDER = 'work_dirs/local-toy/chain'


def test_later_stages_get_what_earlier_ones_leave(commands, capsys):
    run()
    assert commands.run == ALL
    config = 'configs/generated/local-toy/chain/warmup.py'
    assert commands.words('warmup')[2:] == [config]
    assert commands.words('bank')[1:] == [
        *('bank.py', config, f'{FOLDER}/warmup/latest.pth'),
        *('--out', f'{FOLDER}/bank/bank.pth'),
    ]
    adapt = load_config(commands.words('adapt')[2])
    assert adapt.load_from == f'{FOLDER}/warmup/latest.pth'
    assert adapt.uda.bank == f'{FOLDER}/bank/bank.pth'
    assert adapt.work_dir == f'{FOLDER}/adapt'
    test = commands.words('test_adapt')
    assert test[3:5] == [f'{FOLDER}/adapt/latest.pth', '--eval'] and test[-3:] == [
        '--tta',
        '--show-dir',
        f'{FOLDER}/test_adapt/pictures',
    ]
    table = capsys.readouterr().out.splitlines()
    rows = [[cell.strip() for cell in line.split('│')[1:-1]] for line in table if '│ test_' in line]
    assert rows == [
        ['test_warmup', 'warmup', '', '100', '3', '42.00', '-'],
        ['test_adapt', 'adapt', '', '100', '3', '45.00', '-'],
    ]


def test_what_is_finished_is_not_run_again(commands, capsys):
    run()
    commands.run.clear()
    capsys.readouterr()
    run()
    assert commands.run == []
    output = capsys.readouterr().out
    assert output.count('finished: ') == 5 and '42.00' in output


@pytest.mark.parametrize(('stage', 'ending'), [('adapt', 1), ('adapt', -9), ('bank', 2), ('test_warmup', 1)])
def test_a_failed_stage_is_named_and_continued(commands, stage, ending):
    commands.fail = {stage: ending}
    how = 'killed by signal 9' if ending == -9 else f'exit status {ending}'
    refused([f'stage {stage} failed ({how}', 'python run_experiments.py --config chain --machine local'],
            '--machine', 'local')  # fmt: skip
    assert commands.run == ALL[: ALL.index(stage) + 1]
    commands.run.clear()
    commands.fail = {}
    run()
    assert commands.run == ALL[ALL.index(stage) :]
    assert ('--resume' in commands.words(stage)) == (stage == 'adapt')


def test_a_signal_stops_and_the_same_command_continues(commands, capsys):
    commands.fail = {'adapt': 'signal'}
    with pytest.raises(SystemExit) as stop:
        run('--from', 'warmup', '--gpus', '2')
    assert stop.value.code == 130
    assert capsys.readouterr().out.endswith(
        'Stopped in stage adapt. To continue: python run_experiments.py --config chain --gpus 2\n'
    )
    commands.run.clear()
    commands.fail = {}
    run('--gpus', '2')
    assert commands.run == ['adapt', 'test_adapt']
    words = commands.words('adapt')
    assert words[0] == 'bash' and words[1].endswith('dist_train.sh') and words[3:] == ['2', '--resume']
    assert commands.words('test_adapt')[1].endswith('test.py')


def test_a_training_that_ends_with_130_was_stopped(commands):
    commands.fail = {'warmup': 130}
    with pytest.raises(SystemExit):
        run()
    assert commands.run == ['warmup']


def test_a_changed_config_stops(commands):
    run()
    commands.run.clear()
    text = Path('configs/net.py').read_text()
    Path('configs/net.py').write_text(text.replace('max_iters=100', 'max_iters=200'))
    refused([
        'stage warmup is finished, but its settings are others now: train_cfg.max_iters 100 -> 200',
        'do warmup, test_warmup, bank, adapt, test_adapt anew',
        'python run_experiments.py --config chain --from warmup',
        f'--provide warmup={FOLDER}/warmup/latest.pth',
    ])  # fmt: skip
    assert commands.run == []
    Path('configs/net.py').write_text(text)
    run()
    assert commands.run == []


def test_options_of_the_command_line_are_settings(commands):
    run('--cfg-options', 'train_cfg.max_iters=7')
    refused(['stage warmup is finished', 'train_cfg.max_iters 7 -> 100'])


def test_changed_words_of_a_stage_stop(commands):
    run()
    Path('chain.py').write_text(CHAIN.replace("'--tta'", "'--ema'"))
    refused(['stage test_adapt is finished', "args ['--tta', '--show-dir'", "-> ['--ema'", '--from test_adapt'])
    Path('chain.py').write_text(CHAIN.replace("'--out', '{output}'", "'--out', '{output}', 'configs/net.py'"))
    refused(['stage bank is finished', 'configs/net.py is new'])


def test_changed_files_stop(commands):
    run()
    bank, checkpoint = Path(FOLDER, 'bank/bank.pth'), Path(FOLDER, 'warmup/latest.pth')
    bank.write_text('other')
    refused(['stage bank is finished', f'{bank} has changed', '--from bank'])
    bank.unlink()
    refused(['stage bank is finished', f'{bank} is gone'])
    # The same content, written again.
    bank.write_text('bank')
    run()
    checkpoint.write_text('other')
    refused(['stage warmup is finished', f'{checkpoint} has changed'])


def test_files_that_a_stage_names_are_inputs(commands):
    Path('first.pth').write_text('a')
    Path('chain.py').write_text(
        CHAIN.replace("train='configs/net.py')", "train='configs/net.py', load_from='first.pth')", 1)
    )
    run()
    Path('first.pth').write_text('b')
    refused(['stage warmup is finished', 'its input first.pth has changed'])
    Path('first.pth').unlink()
    refused(['stage warmup: load_from=first.pth: no such file'], error=FileNotFoundError)


def test_a_file_that_a_tool_writes_elsewhere_is_no_input(commands):
    Path('chain.py').write_text(CHAIN.replace("'{output}']", "'{output}', 'log.txt']"))
    run()
    Path('log.txt').touch()
    commands.run.clear()
    run()
    assert commands.run == []


def test_results_without_their_origin_stop(commands):
    run()
    Path(FOLDER, 'warmup').rename('elsewhere')
    refused(['stage test_warmup is finished, but stage warmup, which it was made from, is not finished'])
    assert commands.run == ALL


def test_a_begun_training_with_other_settings_stops(commands):
    commands.fail = {'adapt': 1}
    refused(['stage adapt failed'])
    Path('chain.py').write_text(CHAIN.replace("'uda.bank'", "'train_cfg.max_iters': 60, 'uda.bank'"))
    refused(['stage adapt is begun, but its settings are others now: train_cfg.max_iters 100 -> 60', '--from adapt'])


def test_what_was_begun_without_result_is_begun_anew(commands):
    commands.fail = {'bank': 1}
    refused(['stage bank failed'])
    Path('chain.py').write_text(CHAIN.replace("'--out'", "'--save'"))
    commands.fail = {}
    run()
    assert Path(FOLDER, 'bank.old1/words.json').exists()
    assert '--save' in commands.words('bank')


def test_from_does_a_stage_and_its_dependents_anew(commands):
    run()
    commands.run.clear()
    commands.texts = {'bank': 'another bank'}
    run('--from', 'bank')
    assert commands.run == ['bank', 'adapt', 'test_adapt']
    assert '--resume' not in commands.words('adapt')
    assert Path(FOLDER, 'bank.old1/bank.pth').read_text() == 'bank'
    run('--from', 'bank')
    assert Path(FOLDER, 'bank.old2/bank.pth').read_text() == 'another bank'
    refused(['there is no stage benk; stages: warmup, test_warmup'], '--from', 'benk')


def test_a_provided_file_stands_for_a_stage(commands, capsys):
    Path('downloaded.pth').write_text('downloaded')
    run('--provide', 'warmup=downloaded.pth')
    assert commands.run == ALL[1:]
    assert commands.words('test_warmup')[3] == 'downloaded.pth'
    # It is remembered.
    capsys.readouterr()
    run()
    assert commands.run == ALL[1:]
    assert 'warmup: finished: downloaded.pth' in capsys.readouterr().out
    Path('downloaded.pth').write_text('another')
    refused(['stage warmup is provided, but downloaded.pth has changed', '--provide warmup=downloaded.pth'])
    refused(['stage test_warmup is finished, but its input downloaded.pth has changed'],
            '--provide', 'warmup=downloaded.pth')  # fmt: skip


def test_what_only_leads_to_a_provided_file_is_left_out(commands, capsys):
    Path('downloaded.pth').write_text('downloaded')
    run('--provide', 'adapt=downloaded.pth')
    assert commands.run == ['test_adapt']
    output = capsys.readouterr().out
    assert output.count('not needed: what is made from it is provided') == 3
    assert '│ test_adapt ' in output and '│ test_warmup ' not in output


def test_a_finished_stage_is_kept_by_providing_what_it_left(commands):
    run()
    Path('configs/net.py').write_text(Path('configs/net.py').read_text() + 'log = 1\n')
    keep = [f'{name}={FOLDER}/{name}/latest.pth' for name in ('warmup', 'adapt')]
    refused(['stage test_warmup is finished', 'log is new'], '--provide', *keep)
    commands.run.clear()
    run('--provide', *keep, '--from', 'test_warmup', 'test_adapt')
    assert commands.run == ['test_warmup', 'test_adapt']


@pytest.mark.parametrize(
    ('word', 'message'),
    [
        ('warmup=nothing.pth', '--provide warmup=nothing.pth: no such file'),
        ('wormup=chain.py', 'there is no stage wormup; stages: warmup'),
        ('bank=chain.py', '--provide bank=chain.py: the stage leaves nothing for others'),
    ],
)
def test_mistakes_with_provide(commands, word, message):
    if word.startswith('bank'):
        Path('chain.py').write_text("exp = 'toy'\nstages = dict(warmup=dict(train='configs/net.py'), "
                                    "bank=dict(tool='bank.py', args=['{warmup}']))\n")  # fmt: skip
    refused([message], '--provide', word, error=(ValueError, FileNotFoundError))


def test_dry_run_prints_the_plan_and_touches_nothing(commands, capsys):
    run('--dry-run', '--gpus', '4')
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f'chain.py -> {FOLDER}'
    assert [line.split() for line in lines[1::2]] == [
        [str(number), name, kind, 'to', 'do']
        for number, (name, kind) in enumerate(zip(ALL, ['train', 'test', 'tool', 'train', 'test'], strict=True), 1)
    ]
    assert lines[2].endswith('dist_train.sh configs/generated/local-toy/chain/warmup.py 4')
    assert sorted(path.name for path in Path().iterdir()) == ['bank.py', 'chain.py', 'configs']
    commands.fail = {'adapt': 1}
    refused(['stage adapt failed'])
    capsys.readouterr()
    run('--dry-run')
    lines = capsys.readouterr().out.splitlines()
    assert 'finished 20' in lines[1] and 'goes on from iteration 50' in lines[4] and lines[5].endswith('--resume')
    run('--dry-run', '--from', 'bank')
    assert 'to do anew' in capsys.readouterr().out
    assert not Path(FOLDER, 'bank.old1').exists()
    Path('configs/net.py').write_text('model = dict()\nuda = dict()\ntrain_cfg = dict(max_iters=1)\n')
    refused(['stage warmup is finished, but its settings are others now'], '--dry-run')
    assert 'finished, but its settings are others now: ' in capsys.readouterr().out


def test_a_tool_that_writes_nothing_is_named(commands, monkeypatch):
    monkeypatch.setattr(Commands, 'kind', staticmethod(lambda command: ('nothing', 'warmup')))
    refused([f'stage warmup ended well, but did not write {FOLDER}/warmup/latest.pth'])


def test_the_tested_config_has_the_trainings_options(commands):
    Path('chain.py').write_text(CHAIN.replace("test='{adapt}'", "test='{adapt}', cfg_options=dict(lr=[3])"))
    run('--cfg-options', 'train_cfg.max_iters=7')
    cfg = load_config(commands.words('test_adapt')[2])
    assert (cfg.train_cfg.max_iters, cfg.uda.bank, cfg.lr) == (7, f'{FOLDER}/bank/bank.pth', [3])
    assert 'load_from' not in cfg


NET = "train='configs/net.py'"
MISTAKES = {
    '[]': 'stages must be a dict of names and stages',
    '{}': 'stages must be a dict of names and stages',
    f"{{'a b': dict({NET})}}": 'stage a b: a name is letters',
    f'dict(output=dict({NET}))': 'stage output: a name is letters',
    "dict(a=dict(trian='configs/net.py'))": 'stage a: expected a dict with one of train=CONFIG',
    f"dict(a=dict({NET}, test='x'))": 'stage a: expected a dict with one of',
    f"dict(a=dict({NET}, load_form='x'))": 'load_form does not belong to train; did you mean load_from?',
    "dict(a=dict(train='configs/nat.py'))": 'config configs/nat.py does not exist; nearest: configs/net.py',
    f"dict(a=dict({NET}, cfg_options={{'trian.x': 1}}))": 'stage a: --cfg-options trian.x: no such key',
    f"dict(a=dict({NET}, load_from='{{b}}'))": 'stage a: {b} is no earlier stage; it is the first stage',
    f"dict(a=dict({NET}), b=dict({NET}, load_from='{{A}}'))": 'stage b: {A} is no earlier stage; earlier stages: a',
    "dict(a=dict(tool='bonk.py'))": 'stage a: there is no tool bonk.py',
    "dict(a=dict(tool='bank.py', args=['{output}']))": 'args have {output}, but the stage has no output=NAME',
    f"dict(a=dict(tool='bank.py'), b=dict({NET}, load_from='{{a}}'))": 'stage a has no output',
    "dict(a=dict(tool='bank.py'), b=dict(tool='bank.py', args=['{a.config}']))": 'a is a tool and has no config',
    "dict(a=dict(tool='bank.py'), b=dict(tool='bank.py', args=['{a.best}']))": 'there are {a}, {a.config}, {a.folder}',
    "dict(a=dict(tool='bank.py', output='o'), b=dict(test='{a}'))": 'is not from an earlier training',
    f"dict(a=dict({NET}, load_from='{{folder}}'))": '{folder} belongs into args of tool and test',
    "dict(a=dict(test='x.pth', config='configs/net.py'))": 'stage a: test=x.pth: no such file',
}


@pytest.mark.parametrize(('stages', 'message'), MISTAKES.items())
def test_mistakes_in_the_file(commands, stages, message):
    Path('chain.py').write_text(f'stages = {stages}\n')
    refused([message], error=(ValueError, FileNotFoundError))
    assert not commands.run


def test_a_broken_record_is_named(commands):
    run()
    Path(FOLDER, 'bank/stage.json').write_text('{')
    refused([f'{FOLDER}/bank/stage.json: broken', f'move the folder {FOLDER}/bank away'])


def test_options_of_stages_need_stages(commands):
    with pytest.raises(
        ValueError, match='--from, --provide and --gpus are for files that list stages; configs/net.py is'
    ):
        run_experiments.main(['--config', 'configs/net.py', '--gpus', '2'])
    with pytest.raises(ValueError, match='lists stages: what is not finished goes on by itself, without --resume RUN'):
        run('--resume', 'x')


@pytest.mark.parametrize('words', [['--gpus', '0'], ['--provide', 'x'], ['--exp', '80', '--from', 'a']])
def test_mistakes_on_the_command_line(words, capsys):
    with pytest.raises(SystemExit):
        run_experiments.parse_arguments(words if '--exp' in words else ['--config', 'x', *words])
    assert 'error: --' in capsys.readouterr().err


def test_startup_test_is_short_and_elsewhere(commands, capsys):
    run('--startup-test', '--dry-run')
    assert 'work_dirs/local-toy-startup/chain' in capsys.readouterr().out
