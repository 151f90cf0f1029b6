import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg.models.uda.components.mixing import ClassMix, class_mask, class_table, present_classes
from mmseg.models.uda.components.pseudo_labels import PseudoLabels
from tests.models.uda.toy import random_batch


def chosen_sets(table):
    return [set(row.nonzero().flatten().tolist()) for row in table]


@st.composite
def label_maps(draw):
    values = draw(st.lists(st.sampled_from([0, 1, 2, 7, 18, 254, 255]), min_size=24, max_size=24))
    return torch.tensor(values).view(2, 3, 4)


@settings(deadline=None, max_examples=50)
@given(labels=label_maps(), seed=st.integers(0, 100))
def test_half_of_the_classes_are_chosen(labels, seed):
    batch_classes = set(labels.unique().tolist())
    for mode in ('batch', 'image'):
        table = ClassMix(mode).draw(labels, torch.Generator().manual_seed(seed))
        for image, chosen in zip(labels, chosen_sets(table), strict=True):
            classes = batch_classes if mode == 'batch' else set(image.unique().tolist())
            assert chosen <= classes
            assert len(chosen) == (len(classes) + len(classes) % 2) // 2


def test_every_choice_is_as_likely():
    labels = torch.tensor([[[0, 3, 9, 255]]])
    counts = {}
    for seed in range(1200):
        (chosen,) = chosen_sets(ClassMix().draw(labels, torch.Generator().manual_seed(seed)))
        key = tuple(sorted(chosen))
        counts[key] = counts.get(key, 0) + 1
    assert len(counts) == 6 and all(140 < count < 260 for count in counts.values())


def test_images_choose_independently():
    labels = torch.arange(16).view(1, 4, 4).expand(2, 4, 4)
    first, second = chosen_sets(ClassMix().draw(labels, torch.Generator().manual_seed(0)))
    assert first != second


def test_presence_table():
    labels = torch.tensor([[[0, 255]], [[3, 3]]])
    assert chosen_sets(present_classes(labels)) == [{0, 255}, {3}]


def test_class_table_reads_padded_lists():
    assert chosen_sets(class_table(torch.tensor([[1, 255, 4], [0, -1, -1]]))) == [{1, 4, 255}, {0}]


def test_mix_by_loops():
    batch = random_batch(size=(16, 24))
    generator = torch.Generator().manual_seed(3)
    pseudo = PseudoLabels(
        torch.randint(0, 5, batch.source.labels.shape, generator=generator),
        torch.rand(batch.source.labels.shape, generator=generator, dtype=torch.float64),
    )
    table = ClassMix().draw(batch.source.labels, generator)
    mixed = ClassMix().apply(batch.source, batch.target, pseudo, table)
    pasted = 0
    for b, chosen in enumerate(chosen_sets(table)):
        for y in range(16):
            for x in range(24):
                label = int(batch.source.labels[b, y, x])
                origin = batch.source if label in chosen else batch.target
                pasted += label in chosen
                assert torch.equal(mixed.images[b, :, y, x], origin.images[b, :, y, x])
                assert mixed.labels[b, y, x] == (label if label in chosen else pseudo.labels[b, y, x])
                assert mixed.weight[b, y, x] == (1 if label in chosen else pseudo.weight[b, y, x])
    assert 0 < pasted < 2 * 16 * 24
    assert int(class_mask(batch.source.labels, table).sum()) == pasted


def test_unknown_mode():
    with pytest.raises(ValueError, match='classes'):
        ClassMix('pixel')
