"""A bank made of given crops: its files, its counts, and a crop read back."""

import tempfile
from pathlib import Path

import numpy as np
import torch

from mmseg.datasets.image_io import read_depth, read_label
from mmseg.datasets.transforms import PackTrainInputs
from mmseg.engine.depth_bank_build import build
from mmseg.engine.depth_bank_source import Bank
from mmseg.models.data_preprocessor import SegDataPreProcessor
from mmseg.models.uda.components.depth_bank import DepthBank, bank_paths


class GivenPairs:
    """Source halves whose pipeline ends with these arrays."""

    def __init__(self, inputs):
        self.inputs = inputs

    def source_half(self, number):
        image, label, depth = (self.inputs[name][number] for name in ('image', 'label', 'depth'))
        results = {'img': np.ascontiguousarray(image[..., ::-1]), 'img_shape': label.shape, 'depth': depth}
        return PackTrainInputs()({**results, 'gt_seg_map': label.astype(np.uint8)})


def run(case):
    meta, arrays, inputs = case.meta, case.arrays, case.inputs
    counts_name = next(name for name in meta['files'] if name.endswith('_distribution.pth'))
    name, num, _ = counts_name.rsplit('_', 2)
    classes = tuple(map(str, range(arrays['bank'].shape[1])))
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        build(Bank(folder, name, int(num), GivenPairs(inputs), classes), workers=0)
        # The originals write two crops more than they use.
        expected = [file for file in meta['files'] if '/' not in file or int(Path(file).stem) < int(num)]
        found = [file.relative_to(folder).as_posix() for file in folder.rglob('*') if file.is_file()]
        assert sorted(found) == sorted([*expected, 'bank.json'])
        bank = DepthBank(bank_paths(folder))
        np.testing.assert_array_equal(bank.check(len(classes)), arrays['bank'])
        depths = [read_depth(str(folder / 'depth' / f'{k}.png')) for k in range(int(num))]
        np.testing.assert_array_equal(depths, arrays['depth_png'])
        labels = [read_label(str(folder / 'labels' / f'{k}.png')) for k in range(int(num))]
        np.testing.assert_array_equal(labels, inputs['label'])
        check_crop(bank, inputs, arrays)


def check_crop(bank, inputs, arrays):
    """The crop that replaces a source image."""
    image, label = bank.read(int(inputs['replace_index'][0]))
    normalised = SegDataPreProcessor(inputs['mean'].tolist(), inputs['std'].tolist()).normalize(image[None])[0]
    assert normalised.dtype == torch.float32
    np.testing.assert_allclose(normalised[:, ::2, ::2], arrays['reloaded_image'], atol=1e-6)
    np.testing.assert_array_equal(label[None], arrays['reloaded_label'])
