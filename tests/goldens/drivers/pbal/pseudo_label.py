"""Labels, float16 confidences and soft labels of a flip-averaged prediction; the threshold of the reader."""

import tempfile
from pathlib import Path

import numpy as np

from mmseg.datasets.transforms import LoadPseudoLabels
from mmseg.engine.soft_pseudo_labels import confident_labels, full_size_probabilities
from tests.datasets.tiny_data import save
from tests.goldens.drivers.pbal.networks import check

CLOSE = 1e-5
HALF_STEP = 1e-3


def run(case):
    options, outputs = case.meta['options'], case.meta['outputs']
    plain, mirrored = (case.tensor(name).softmax(dim=1) for name in ('logits', 'logits_mirror'))
    check(case, 'soft', plain)
    probabilities = full_size_probabilities(plain, mirrored, options['size'])
    threshold = options['threshold']
    assert np.float16(threshold) == options.get('threshold_in_float16', np.float16(threshold))
    labels, confidence, kept = confident_labels(probabilities, threshold)
    first, second = probabilities.topk(2, dim=1).values.unbind(dim=1)
    clear = (first - second > CLOSE).numpy()
    assert (labels == case.arrays['out/label'])[clear].all()
    stored = outputs['confidence_f16']
    limits = stored['tolerance']['float64']
    np.testing.assert_allclose(
        confidence.reshape(-1)[:: stored.get('stride', 1)].astype(np.float32),
        case.arrays['out/confidence_f16'].reshape(-1), rtol=limits['rtol'], atol=limits['atol'],
    )  # fmt: skip
    theirs = case.arrays['out/label_thresholded']
    theirs = np.where(theirs == 250, 255, theirs)
    sure = clear & ((first - threshold).abs() > HALF_STEP).numpy()
    for ours in (kept, read(labels, confidence, threshold)):
        assert (ours == theirs)[sure].all()
    if 'kept_fraction' in options:
        assert abs((kept != 255).mean() - options['kept_fraction']) < (~sure).mean() + 1e-9


def read(labels, confidence, threshold):
    """The labels as a training reads them from the tool's files."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (label, values) in enumerate(zip(labels, confidence, strict=True)):
            path = Path(folder) / f'{number}_leftImg8bit.png'
            save(path, label)
            np.save(path.with_name(f'{number}_leftImg8bit_conf.npy'), values)
            found.append(LoadPseudoLabels(threshold)({'seg_map_path': str(path)})['gt_seg_map'])
    return np.stack(found)
