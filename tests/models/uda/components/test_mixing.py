import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg.models.uda.components.mixing import (
    ClassMix,
    CutMix,
    NoMix,
    box_mask,
    class_mask,
    class_table,
    cut_boxes,
    present_classes,
)
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


@settings(deadline=None, max_examples=50)
@given(
    height=st.integers(4, 200),
    width=st.integers(4, 200),
    area=st.floats(0.05, 1.0),
    seed=st.integers(0, 1000),
)
def test_rectangles_lie_inside_and_cover_their_share(height, width, area, seed):
    draws = torch.rand(6, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    y1, y2, x1, x2 = cut_boxes(draws, (height, width), area).unbind(1)
    assert bool((y1 >= 0).all()) and bool((y2 <= height).all()) and bool((x1 >= 0).all()) and bool((x2 <= width).all())
    covered = (y2 - y1) * (x2 - x1)
    # Each side is rounded by up to half a pixel.
    assert bool(((covered - area * height * width).abs() <= 0.5 * (height + width) + 0.5).all())


def test_rectangles_take_all_shapes_and_places():
    labels = torch.zeros(400, 50, 80, dtype=torch.int64)
    boxes = CutMix(0.4).draw(labels, torch.Generator().manual_seed(0))
    heights, corners = boxes[:, 1] - boxes[:, 0], boxes[:, 0]
    assert heights.min() <= 21 and heights.max() >= 49
    assert corners.min() == 0 and corners.max() > 20
    assert len(boxes.unique(dim=0)) > 300


def test_cut_mix_by_loops():
    batch = random_batch(size=(16, 24))
    generator = torch.Generator().manual_seed(3)
    pseudo = PseudoLabels(
        torch.randint(0, 5, batch.source.labels.shape, generator=generator),
        torch.rand(batch.source.labels.shape, generator=generator, dtype=torch.float64),
    )
    boxes = CutMix().draw(batch.source.labels, generator)
    mixed = CutMix().apply(batch.source, batch.target, pseudo, boxes)
    for b, (y1, y2, x1, x2) in enumerate(boxes.tolist()):
        for y in range(16):
            for x in range(24):
                inside = y1 <= y < y2 and x1 <= x < x2
                origin = batch.source if inside else batch.target
                assert torch.equal(mixed.images[b, :, y, x], origin.images[b, :, y, x])
                assert mixed.labels[b, y, x] == (batch.source if inside else pseudo).labels[b, y, x]
                assert mixed.weight[b, y, x] == (1 if inside else pseudo.weight[b, y, x])
    assert int(box_mask(boxes, (16, 24)).sum()) == int(
        ((boxes[:, 1] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 2])).sum()
    )


def test_nothing_is_pasted():
    batch = random_batch(size=(16, 24))
    pseudo = PseudoLabels(torch.zeros_like(batch.source.labels), torch.rand(2, 16, 24))
    mixed = NoMix().apply(batch.source, batch.target, pseudo, NoMix().draw(batch.source.labels, torch.Generator()))
    assert mixed.images is batch.target.images and mixed.labels is pseudo.labels and mixed.weight is pseudo.weight


def test_a_share_of_the_image():
    with pytest.raises(ValueError, match='above 0 and up to 1, not 1.5'):
        CutMix(1.5)
