import pytest
import torch

from mmseg.models.uda.components.memory_bank import MemoryBankContrast


def bank(**settings):
    memory = MemoryBankContrast(0.1, width=4, memory_size=6, pixel_update_freq=3, min_samples=4, **settings)
    return memory.attach(num_classes=3, channels=5)


def labels(seed=0):
    generator = torch.Generator().manual_seed(seed)
    values = torch.randint(0, 2, (2, 4, 5), generator=generator)  # class 2 is absent
    values[0, 0] = 255
    return values


def test_picks_are_different_positions_of_their_class():
    values = labels()
    picks = bank().draw_picks(values, torch.Generator().manual_seed(1))
    assert (picks[2] == -1).all()
    for class_id in range(2):
        assert len(set(picks[class_id].tolist())) == 3
        assert (values.flatten()[picks[class_id]] == class_id).all()


def test_anchors_are_half_hard_where_there_are_enough():
    values = labels()
    prediction = values.clone()
    prediction[1, 2:] = 1 - prediction[1, 2:]
    drawn = bank().draw_anchors(values, prediction, torch.Generator().manual_seed(1))
    assert drawn.shape == (2, 4)
    wrong = (prediction != values).flatten()[drawn]
    assert wrong.sum(dim=1).tolist() == [2, 2]


@pytest.mark.parametrize(('hard', 'expected'), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 5)])
def test_anchors_of_an_odd_number_are_different_and_filled_from_the_other_kind(hard, expected):
    memory = MemoryBankContrast(0.1, width=4, memory_size=6, pixel_update_freq=3, min_samples=5)
    memory.attach(num_classes=2, channels=5)
    values = torch.zeros(1, 1, 6, dtype=torch.int64)
    prediction = (torch.arange(6) < hard).long()[None, None]
    (drawn,) = memory.draw_anchors(values, prediction, torch.Generator().manual_seed(1))
    assert len(set(drawn.tolist())) == 5 and min(drawn) >= 0
    assert int((drawn < hard).sum()) == expected


def test_without_anchors_the_loss_is_zero():
    memory, values = bank(), torch.full((2, 4, 5), 255)
    anchors = memory.draw_anchors(values, values, torch.Generator())
    embedding = torch.randn(2, 4, 4, 5, requires_grad=True)
    loss = memory(embedding, values, anchors)
    loss.backward()
    assert float(loss.detach()) == 0 and not embedding.grad.any()


def test_the_projection_does_not_learn_and_pointers_are_resumed():
    memory, other = bank(), bank()
    assert not any(parameter.requires_grad for parameter in memory.parameters())
    values = labels()
    memory.update(torch.randn(2, 4, 4, 5), values, memory.draw_picks(values, torch.Generator()))
    other.load_state_dict(memory.state_dict())
    other.load_training_state(memory.training_state())
    assert memory.proto_pointer.tolist() == other.proto_pointer.tolist() == [1, 1, 0]


def test_wrong_settings():
    with pytest.raises(ValueError, match='temperature is above 0'):
        MemoryBankContrast(0)
    with pytest.raises(ValueError, match='does not fit'):
        MemoryBankContrast(1, memory_size=2)
