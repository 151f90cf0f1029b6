"""What belongs to the whole image that a training crop is a part of (ProDA)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmseg.datasets.transforms.base import Results, Transform
from mmseg.datasets.transforms.loading import LoadAnnotations
from mmseg.datasets.transforms.resize import resize_image
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class KeepWholeImage(Transform):
    """Keep the image as it is now, as ``whole``, beside what later transforms make of it.

    Later transforms may resize, crop and flip; a teacher can then look at the whole, and what it sees be cut likewise.

    Args:
        scale: (width, height) of the kept image; None = as it is. Those of a batch must have one size.
    """

    def __init__(self, scale: Sequence[int] | None = None):
        if scale is not None and (len(scale) != 2 or min(scale) < 1):
            raise ValueError(f'KeepWholeImage: scale must be (width, height), got {scale}')
        self.scale = None if scale is None else (int(scale[0]), int(scale[1]))

    def __call__(self, results: Results) -> Results:
        image = results['img']
        results['whole'] = image if self.scale is None else resize_image(image, self.scale)
        return results


@TRANSFORMS.register_module()
class LoadSoftLabels(LoadAnnotations):
    """Read ``seg_map_path`` as ``soft_label`` (C, h, w) float16: class probabilities of the whole image.

    The files are those of ``python -m tools.make_pseudo_labels --soft``; ``seg_map_suffix`` of the dataset is theirs,
    e.g. ``_leftImg8bit.npy``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is broken, or holds something else.
    """

    made_by = 'python -m tools.make_pseudo_labels CONFIG CHECKPOINT --soft --out-dir DIR'

    def __init__(self) -> None:
        super().__init__()

    def __call__(self, results: Results) -> Results:
        path = results['seg_map_path']
        try:
            soft = np.load(path, allow_pickle=False)
        except FileNotFoundError:
            raise FileNotFoundError(f'soft labels {path} do not exist; make them: {self.made_by}') from None
        except (ValueError, EOFError, OSError):
            raise ValueError(f'soft labels {path} cannot be read: no array of NumPy') from None
        classes = results.get('num_classes')
        if soft.ndim != 3 or soft.dtype.kind != 'f' or (classes is not None and len(soft) != classes):
            wanted = f'{classes if classes is not None else "C"} x h x w'
            sides = ' x '.join(map(str, soft.shape))
            raise ValueError(f'soft labels {path} hold {soft.dtype} of {sides}, expected float16 of {wanted}')
        results['soft_label'] = np.ascontiguousarray(soft, dtype=np.float16)
        return results
