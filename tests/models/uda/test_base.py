import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from mmseg.models.uda import UDADecorator, build_method
from mmseg.models.uda.log_window import LogWindow
from mmseg.structures import TrainBatch
from tests.models.uda.toy import ToyPreprocessor, config, random_batch


class TwoPasses(UDADecorator):
    """Losses whose gradients are known: of weight w, 2 w and x, where x counts the passes' order."""

    draws_before = 0

    def passes(self):
        return [self.first, self.second]

    def first(self, step):
        torch.rand(self.draws_before)
        return {'first.loss': 2 * self.model.weight.sum(), 'first.accuracy': torch.tensor(3.0)}

    def second(self, step):
        # The first pass has had its backward already.
        assert self.model.weight.grad is not None
        return {'second.loss': self.model.weight.square().sum(), 'random': torch.rand(())}


def two_passes():
    return TwoPasses(nn.Linear(1, 1, bias=False), data_preprocessor=ToyPreprocessor())


def sgd(method, lr=0.1):
    return OptimWrapper(torch.optim.SGD(method.student.parameters(), lr=lr))


def test_gradients_of_all_passes_add_up():
    method = two_passes()
    weight = method.model.weight.detach().clone()
    log = method.compute_gradients(random_batch())
    torch.testing.assert_close(method.model.weight.grad, 2 + 2 * weight)
    assert set(log) == {'first.loss', 'first.accuracy', 'second.loss', 'random'}
    assert not any(value.requires_grad for value in log.values())
    method.compute_gradients(random_batch())
    torch.testing.assert_close(method.model.weight.grad, 2 * (2 + 2 * weight))


def test_train_step_is_one_optimizer_step():
    method = two_passes()
    weight = method.model.weight.detach().clone()
    wrapper = sgd(method)
    for batches in ({'batch': random_batch()}, [{'batch': random_batch()}, {'batch': random_batch()}]):
        weight = weight - 0.1 * (2 + 2 * weight)
        method.train_step(batches, wrapper)
        torch.testing.assert_close(method.model.weight.detach(), weight)
    assert method.iteration == 2 and method.micro_batch == 0


def test_log_values_come_at_the_interval_as_means():
    method, returned, seen = two_passes(), [], []
    method.log_interval = 3
    wrapper = sgd(method)
    for _ in range(7):
        seen.append(float(2 * method.model.weight.detach()))
        returned.append(method.train_step({'batch': random_batch()}, wrapper))
    assert [bool(values) for values in returned] == [True, False, True, False, False, True, False]
    assert float(returned[0]['first.loss']) == pytest.approx(seen[0])
    assert float(returned[2]['first.loss']) == pytest.approx(sum(seen[1:3]) / 2)
    assert float(returned[5]['first.loss']) == pytest.approx(sum(seen[3:6]) / 3)


def test_lost_run_stops_with_the_name_of_the_loss():
    window = LogWindow()
    window.add({'decode.loss_seg': torch.tensor(torch.nan), 'decode.acc_seg': torch.tensor(1.0)})
    with pytest.raises(FloatingPointError, match='decode.loss_seg=nan'):
        window.read()


def test_steps_that_overflow_in_float16_are_not_logged():
    window = LogWindow()
    for value in (1.0, torch.inf, torch.nan, 2.0):
        window.add({'a': torch.tensor(value)}, overflows=True)
    assert {key: float(value) for key, value in window.read().items()} == {'a': 1.5}
    window.add({'a': torch.tensor(torch.nan)}, overflows=True)
    with pytest.raises(FloatingPointError, match='a=nan'):
        window.read()


def test_log_values_of_some_steps_only():
    window = LogWindow()
    window.add({'a': torch.tensor(1.0)})
    window.add({'a': torch.tensor(2.0), 'b': torch.tensor(5.0)})
    assert {key: float(value) for key, value in window.read().items()} == {'a': 1.5, 'b': 5.0}
    assert window.read() == {}


def test_sixteen_bit_log_values_lose_nothing_in_their_sum():
    window = LogWindow()
    for number in range(300):
        window.add({'kept': torch.tensor(1.0 + (number % 2)).bfloat16()})
    assert float(window.read()['kept']) == 1.5


def test_random_numbers_follow_from_seed_iteration_part_and_name():
    method = two_passes()

    def numbers():
        return tuple(torch.rand(3, generator=method.generator('mixing')).tolist())

    first = numbers()
    assert first == numbers()
    assert first != tuple(torch.rand(3, generator=method.generator('blur')).tolist())
    seen = {first}
    for name in ('seed', 'iteration', 'micro_batch'):
        setattr(method, name, 1)
        seen.add(numbers())
        setattr(method, name, 0)
    assert len(seen) == 4 and numbers() == first


def test_random_numbers_of_a_pass_do_not_depend_on_what_ran_before():
    method = two_passes()
    first = method.compute_gradients(random_batch())['random']
    method.draws_before = 17
    assert method.compute_gradients(random_batch())['random'] == first
    method.iteration += 1
    assert method.compute_gradients(random_batch())['random'] != first


def test_training_state_holds_the_iteration():
    method, other = two_passes(), two_passes()
    method.train_step({'batch': random_batch()}, sgd(method))
    other.load_training_state(method.training_state())
    assert other.iteration == 1
    assert 'iteration' not in ''.join(method.state_dict())


def test_panel_only_when_due():
    method, wrapper, seen = two_passes(), None, []
    method.panel_interval = 2
    wrapper = sgd(method)
    for _ in range(3):
        method.train_step({'batch': random_batch()}, wrapper)
        seen.append(sorted(method.panel))
    assert seen == [['source_image', 'source_label'], [], ['source_image', 'source_label']]


def test_no_teacher_to_evaluate():
    method = two_passes()
    method.evaluate_teacher = True
    with pytest.raises(ValueError, match='no teacher'):
        method.inference_model()


def test_labels_are_needed():
    batch = random_batch()
    with pytest.raises(ValueError, match='LoadAnnotations'):
        two_passes().compute_gradients(TrainBatch(batch.target))


@pytest.mark.parametrize(
    ('uda', 'message'),
    [
        ({'type': 'DACS', 'prototypes': {}}, "uda: DACS has no setting 'prototypes'; known are teacher"),
        ({'type': 'DACS', 'mixxing': {}}, 'did you mean mixing'),
        ({'type': 'DAX'}, "type 'DAX' is not registered; did you mean .*DACS"),
        ({'alpha': 1}, 'type None'),
        (
            {'type': 'DACS', 'teacher': {'alfa': 0.9}},
            "uda.teacher: EMATeacher has no setting 'alfa'; did you mean alpha.; known are alpha, ",
        ),
        ({'type': 'DACS', 'mixing': {'type': 'ClassMixer'}}, "uda.mixing: type 'ClassMixer'.*ClassMix"),
        ({'type': 'DACS', 'max_iters': 3}, "no setting 'max_iters'"),
    ],
)
def test_config_mistakes_are_one_clear_line(uda, message):
    with pytest.raises(ValueError, match=message) as caught:
        build_method(config(uda))
    assert '\n' not in str(caught.value)


def test_config_is_left_alone():
    cfg = config({'type': 'DACS', 'mixing': {'type': 'ClassMix'}})
    build_method(cfg)
    assert cfg == config({'type': 'DACS', 'mixing': {'type': 'ClassMix'}})
