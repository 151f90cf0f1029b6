"""The harness itself: what it does with cases that it has not seen."""

import json

import numpy as np
import pytest

from tests.goldens.harness import HERE, Case, sampled_like, strided


def case(folder, meta, **arrays):
    path = folder / meta['part'] / f'{meta["kind"]}_other.npz'
    path.parent.mkdir(exist_ok=True)
    np.savez(path, meta=np.array(json.dumps(meta)), **arrays)
    return Case(path)


def test_a_kind_without_driver_is_one_clear_line(tmp_path):
    with pytest.raises(AssertionError, match=r"ddb/colour_other: no driver for kind 'colour' .*drivers/ddb/colour.py"):
        case(tmp_path, {'part': 'ddb', 'kind': 'colour'}).run()
    with pytest.raises(AssertionError, match="no driver for kind 'colour'"):
        case(tmp_path, {'part': 'another', 'kind': 'colour'}).run()


def test_an_array_that_no_driver_compares_is_an_error(tmp_path):
    kind = {'part': 'ddb', 'kind': 'kl_loss', 'case': 'kl', 'shape': [1, 3, 2, 2], 'temp': 1.0}
    kind |= {'student_logits': '2 * array("s", shape)', 'teacher_logits': '3 * array("t", shape)', 'value': 3.0}
    found = case(tmp_path, {**kind, 'tolerance': {'float64': 1e9}}, grad_logits=np.ones((1, 3, 2, 2)), more=np.ones(1))
    with pytest.raises(AssertionError, match='stored, but never compared: more'):
        found.run()
    with pytest.warns(UserWarning, match='stored, but never compared: more'):
        case(tmp_path, {**kind, 'tolerance': {'float64': 1e9}}, more=np.ones(1), grad_logits=np.ones((1, 3, 2, 2))).run(
            strict=False
        )


def test_rules_of_inputs_in_the_folder_of_the_cases_come_first(tmp_path):
    known = Case(HERE / 'self_training/label_tables.npz')
    foreign = case(tmp_path, known.meta, **known.arrays)
    foreign.run()
    rules = tmp_path / 'inputs/self_training.py'
    rules.parent.mkdir()
    rules.write_text('def inputs(meta, arrays, fill):\n    return {"ids": fill.FEW}\n')
    (tmp_path / 'fill.py').write_text('FEW = [7]\n')
    assert Case(foreign.path).inputs == {'ids': [7]}
    with pytest.raises(AssertionError):
        Case(foreign.path).run()


def test_strides_follow_from_names_and_shapes():
    assert strided('mixed_img_s8') == ('mixed_img', 8) and strided('mixed_img') == ('mixed_img', 1)
    full = np.arange(2 * 9 * 19).reshape(2, 9, 19)
    for rows, columns in ((1, 1), (4, 1), (4, 7), (2, 9)):  # 19 entries become 3 with 7, 8 or 9
        np.testing.assert_array_equal(sampled_like(full, full[:, ::rows, ::columns]), full[:, ::rows, ::columns])
    with pytest.raises(AssertionError, match='no strides'):
        sampled_like(full, full[:, :7])
