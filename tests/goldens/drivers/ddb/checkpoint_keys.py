"""Which entries of a checkpoint are the network's. Ours takes ``model.``, ``stu_model.`` and bare ones everywhere, so
only the loaders that load something are compared."""

from mmseg.engine.legacy_checkpoint import select_segmentor_state


def run(case):
    compared = 0
    for name, recorded in case.meta['sets'].items():
        state = case.inputs[name]
        assert list(state) == recorded['keys']
        ours = {key: int(value[0]) for key, value in select_segmentor_state(state).items()}
        for loader, selected in recorded['selected'].items():
            if selected['result'] == 'ok':
                assert ours == selected['mapping'], f'{name}, {loader}'
                compared += 1
    assert compared
    case.arrays.get('dummy')  # such a case has no arrays of its own
