"""What a transform is, how transforms make a pipeline, and which maps travel with an image.

A pipeline passes one dict on: ``img`` (H, W, 3) BGR uint8, maps of the same size (``MAPS``), file names and sizes, and
``draws`` (``mmseg.datasets.randomness.Draws``), the only source of random decisions. Transforms never write into the
arrays they get, so a dict may be copied shallowly and sent down the same pipeline again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mmseg.registry import TRANSFORMS

Results = dict[str, Any]

# Maps that are resized, cropped and flipped with the image -> value of padded pixels. The originals pad the mask of
# valid pixels with 255 too, which multiplies the pseudo-label weight by 255 there: 0 here.
MAPS = {'gt_seg_map': 255, 'valid': 0, 'depth': 255}
# Those of them that are resized bilinearly, in float32; the others hold ids (nearest).
SMOOTH_MAPS = ('depth',)


class Transform:
    """One step of a pipeline.

    Attributes:
        random: draws random decisions, so a second call gives another result.
        changes_labels: may change how many pixels of a class the label map holds (crops do, flips do not).
        stands_for: classes of transforms whose work this one does in their place.
    """

    random = False
    changes_labels = False
    stands_for: tuple[type, ...] = ()

    def __call__(self, results: Results) -> Results:
        raise NotImplementedError


class Compose:
    """Transforms in order.

    Args:
        transforms: config dicts or callables on a dict. Foreign callables count as random and as label-changing.
    """

    def __init__(self, transforms: Sequence[dict[str, Any] | Callable[[Results], Results]]):
        self.transforms = [TRANSFORMS.build(item) if isinstance(item, dict) else item for item in transforms]

    def __call__(self, results: Results) -> Results:
        for transform in self.transforms:
            results = transform(results)
        return results

    def find(self, kind: type) -> int | None:
        """Position of the last transform of a class, or of one that stands for it; None without one."""
        found = [
            i
            for i, item in enumerate(self.transforms)
            if isinstance(item, kind) or any(issubclass(other, kind) for other in getattr(item, 'stands_for', ()))
        ]
        return found[-1] if found else None

    def split_for_redrawing(self) -> tuple[Compose, Compose, Compose]:
        """Split so that the labels can be drawn anew without loading the files again.

        Returns:
            The part before the first random transform, the part up to the last one that changes labels, the rest.
            Redrawing the middle part has the distribution of redrawing all.
        """
        drawn = [i for i, item in enumerate(self.transforms) if getattr(item, 'random', True)]
        changing = [i for i, item in enumerate(self.transforms) if getattr(item, 'changes_labels', True)]
        first = drawn[0] if drawn else len(self.transforms)
        last = max(first, changing[-1] + 1) if changing else first
        return Compose(self.transforms[:first]), Compose(self.transforms[first:last]), Compose(self.transforms[last:])
