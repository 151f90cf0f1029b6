"""Label maps at a quarter of their size, moved like their pictures, as ProDA's code moves them."""

import math

import numpy as np
import torch

from mmseg.models.resize import resize_labels
from mmseg.models.uda.components.rand_augment import RandAugment
from mmseg.models.uda.components.view_geometry import GEOMETRIC, Operation, ViewChange

IGNORE, THEIRS = 255, 250
TIES = 0.003  # share of pixels that nearest sampling may decide otherwise
NEIGHBOURS = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]


def run(case):
    labels = case.tensor('label')
    stride, changes = case.meta['options'].get('scale', 4), changes_of(case)
    small = resize_labels(labels, [length // stride for length in labels.shape[1:]])
    np.testing.assert_array_equal(theirs(small), case.arrays['out/label_quarter'][:, 0])
    moved = RandAugment(label_stride=stride, replay='published').move_labels(labels, changes)
    check_labels(moved, case.arrays['out/label_strong'][:, 0], changes)


def changes_of(case, name='strong'):
    """The case's decisions as ours."""
    given = case.inputs[name]
    changes = []
    for number, box in enumerate(given['CutoutAbs'].tolist()):
        operations = [
            Operation(operation, float(given[operation][number]))
            for operation in GEOMETRIC
            if (given[operation][number] if operation == 'Hflip' else not math.isnan(given[operation][number]))
        ]
        empty = box[0] == box[2] or box[1] == box[3]
        changes.append(ViewChange(tuple(operations), None if empty else tuple(box)))
    return changes


def theirs(labels):
    """Our label maps with the original's number for ignored pixels."""
    return torch.where(labels == IGNORE, THEIRS, labels).numpy()


def check_labels(ours, stored, changes):
    """Equal but for ties; after a shift of a width, which may lie between two pixels, the neighbour's label will do."""
    ours = theirs(ours)
    for number, change in enumerate(changes):
        shifted = any(operation.name == 'TranslateX' for operation in change.operations)
        moves = NEIGHBOURS if shifted else [(0, 0)]
        same = np.any([np.roll(ours[number], move, (0, 1)) == stored[number] for move in moves], axis=0)
        assert 1 - same.mean() <= TIES, f'label map {number}: {1 - same.mean():.2%} differ'
