"""The sequence of files for given class draws, and the classes' probabilities."""

from itertools import islice

import numpy as np

from mmseg.datasets.class_balanced import balanced_sequence


def run(case):
    choices, weights = iter(case.inputs['choices'].tolist()), []

    def draw_class(probabilities):
        weights.append(probabilities)
        return next(choices)

    np.testing.assert_array_equal(case.inputs['presence'], case.arrays['presence'])
    sub_epoch = case.meta['inputs']['sub_epoch']
    sequence = balanced_sequence(case.inputs['presence'], draw_class, list.reverse, sub_epoch)
    expected = case.arrays['sequence']
    np.testing.assert_array_equal(list(islice(sequence, len(expected))), expected)
    ours = [weights[step] for step in case.meta['weight_steps']]
    np.testing.assert_allclose(ours, case.arrays['weights'], rtol=case.meta['rtol'])
