"""TensorBoard events of the toy run: what is written, resuming, and what is said without the package."""

import sys

import numpy as np
import pytest

from mmseg.engine.hooks import tensorboard
from mmseg.engine.hooks.tensorboard import scalars
from tests.engine.test_resume import stop_after
from tests.engine.toy import rows, toy_runner


class FakeWriter:
    """Keeps what it is given."""

    opened: list = []

    def __init__(self, log_dir, purge_step=None):
        self.log_dir, self.purge_step = log_dir, purge_step
        self.numbers, self.pictures, self.texts, self.flushed, self.closed = {}, {}, {}, 0, False
        self.opened.append(self)

    def add_scalar(self, tag, value, step):
        self.numbers.setdefault(tag, {})[step] = value

    def add_image(self, tag, picture, step, dataformats):
        assert dataformats == 'HWC'
        self.pictures[tag, step] = picture

    def add_text(self, tag, text, step):
        self.texts[tag, step] = text

    def flush(self):
        self.flushed += 1

    def close(self):
        self.closed = True


@pytest.fixture
def writers(monkeypatch):
    monkeypatch.setattr(FakeWriter, 'opened', [])
    monkeypatch.setattr(tensorboard, 'summary_writer', lambda: FakeWriter)
    return FakeWriter.opened


def test_events_are_the_log(tmp_path, writers):
    toy_runner(tmp_path, default_hooks__tensorboard=True).train()
    [writer] = writers
    assert (writer.log_dir, writer.purge_step, writer.closed) == (str(tmp_path / 'tensorboard'), None, True)
    for name, tag in (('decode.loss_seg', 'train/decode.loss_seg'), ('lr', 'train/lr'), ('time', 'cost/time')):
        assert writer.numbers[tag] == {row['iter']: row[name] for row in rows(tmp_path, 'train')}
    assert writer.numbers['val/mIoU'] == {row['iter']: row['mIoU'] for row in rows(tmp_path, 'val')}
    assert 'val_IoU/road' not in writer.numbers, 'the class is absent: its score is NaN'
    assert sorted(writer.pictures) == [('panel', 1), ('panel', 7)]
    assert writer.pictures['panel', 1].dtype == np.uint8
    assert 'seed: 7' in writer.texts['run', 0]
    assert "    model = dict(type='Toy')" in writer.texts['run', 0]
    assert writer.flushed >= len(rows(tmp_path, 'train'))


def test_it_is_off_by_default_and_can_be_switched_off(tmp_path, writers):
    toy_runner(tmp_path / 'a').train()
    toy_runner(tmp_path / 'b', default_hooks__tensorboard=False)
    assert writers == []


def test_resumed_run_takes_back_later_steps(tmp_path, writers):
    stop_after(toy_runner(tmp_path, default_hooks__tensorboard=True), 6).train()
    toy_runner(tmp_path, default_hooks__tensorboard=True, resume=True).train()
    first, second = writers
    assert first.closed
    assert (second.purge_step, second.log_dir) == (7, first.log_dir)


def test_tags():
    train = {'mode': 'train', 'iter': 5, 'lr': 0.1, 'memory': 7, 'flag': True, 'name': 'x', 'mix.decode.loss_seg': 2}
    assert scalars(train) == {'train/lr': 0.1, 'cost/memory': 7.0, 'train/mix.decode.loss_seg': 2.0}
    val = {'mode': 'val', 'iter': 5, 'mIoU': 50.0, 'IoU.traffic light': 3.0, 'IoU.bus': float('nan')}
    assert scalars(val) == {'val/mIoU': 50.0, 'val_IoU/traffic light': 3.0}
    assert scalars({'mode': 'test', 'iter': 5, 'mIoU': 50.0}) == {}


def test_without_the_package_the_run_stops_with_one_line_before_it_starts(tmp_path, monkeypatch):
    from mmseg.engine.errors import user_message

    monkeypatch.setitem(sys.modules, 'torch.utils.tensorboard', None)
    with pytest.raises(ImportError, match='default_hooks.tensorboard: .*pip install "tensorboard>=2.16"') as raised:
        toy_runner(tmp_path, default_hooks__tensorboard=True)
    message = user_message(raised.value)
    assert message is not None
    assert '\n' not in message
    toy_runner(tmp_path)


def read_events(folder):
    """Steps and values by tag, as the TensorBoard page would show them."""
    module = pytest.importorskip('tensorboard.backend.event_processing.event_accumulator')
    events = module.EventAccumulator(str(folder), size_guidance={'tensors': 0, 'scalars': 0, 'images': 0})
    events.Reload()
    numbers = {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()['scalars']}
    return numbers, [event.step for event in events.Images('panel')]


def test_events_of_a_crashed_and_resumed_run_equal_those_of_an_undisturbed_one(tmp_path):
    pytest.importorskip('tensorboard')
    options = {'default_hooks__tensorboard': True, 'default_hooks__logger__interval': 1}
    toy_runner(tmp_path / 'whole', **options).train()
    crashed = toy_runner(tmp_path / 'resumed', **options)
    step = crashed.model.train_step

    def crash(data, optim_wrapper):
        if crashed.iter == 10:
            raise MemoryError('as if killed, two iterations after the checkpoint')
        return step(data, optim_wrapper)

    crashed.model.train_step = crash
    with pytest.raises(MemoryError):
        crashed.train()
    before, _ = read_events(tmp_path / 'resumed' / 'tensorboard')
    assert before['train/lr'][-1][0] == 10
    toy_runner(tmp_path / 'resumed', resume=True, **options).train()

    whole, whole_panels = read_events(tmp_path / 'whole' / 'tensorboard')
    resumed, resumed_panels = read_events(tmp_path / 'resumed' / 'tensorboard')
    assert set(whole) == set(resumed)
    assert [step for step, _ in resumed['train/lr']] == list(range(1, 13))
    for tag in ('train/lr', 'train/decode.loss_seg', 'val/mIoU'):
        assert resumed[tag] == whole[tag]
    assert resumed_panels == whole_panels == [1, 7]


def test_a_new_run_moves_the_events_of_an_older_one_aside(tmp_path):
    pytest.importorskip('tensorboard')
    for _ in range(2):
        toy_runner(tmp_path, default_hooks__tensorboard=True).train()
    folders = sorted(folder.name for folder in tmp_path.glob('tensorboard*'))
    assert len(folders) == 2
    assert folders[1].startswith('tensorboard_2')
    assert len(read_events(tmp_path / 'tensorboard')[0]['train/lr']) == 4
