"""The files of initial prototypes."""

import tempfile
from pathlib import Path

import numpy as np
import torch

from mmseg.engine.prototype_files import FILES, read_prototypes, write_prototypes
from mmseg.engine.prototype_pass import PrototypeSums
from tests.goldens.drivers.proca import networks

LEVELS = {'feature': 'feat', 'output': 'out'}  # names in the case


@torch.no_grad()
def run(case):
    meta, network = case.meta, networks.build(case).eval()
    total = PrototypeSums(network)
    for i in range(meta['inputs']['n']):
        total.add(network(case.tensor(f'image{i}')), case.tensor(f'label{i}'))
    assert sorted(FILES.values()) == sorted(meta['files'])
    with tempfile.TemporaryDirectory() as folder:
        for level, (vectors, counts) in total.means().items():
            name = LEVELS[level]
            path = Path(folder) / FILES[level]
            write_prototypes(path, vectors, counts)
            stored = torch.load(path, weights_only=True)
            for key, (dtype, shape) in meta['file_layout'][name].items():
                assert (str(stored[key].dtype), list(stored[key].shape)) == (dtype, shape)
            vectors, counts = read_prototypes(path)
            stored = case.arrays[f'proto_{name}']
            networks.close(name, vectors, stored, meta['rtol'], meta['atol_rel_to_absmax'])
            np.testing.assert_array_equal(counts, case.arrays[f'amount_{name}'])
