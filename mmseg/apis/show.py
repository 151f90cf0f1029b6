"""Drawing a prediction."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from torch import nn

from mmseg.apis.drawing import Drawing
from mmseg.apis.images import ImageLike, as_bgr
from mmseg.structures import SegDataSample
from mmseg.visualization.palette import save_picture


def show_result(
    model: nn.Module,
    image: ImageLike,
    result: SegDataSample,
    out_file: str | os.PathLike[str] | None = None,
    opacity: float = 0.5,
    legend: str | None = 'auto',
) -> np.ndarray:
    """Lay a prediction over its image, with a legend of the classes in it.

    Args:
        model: of :func:`mmseg.apis.init_model`; gives names and colours.
        image: the one that was predicted, in any form.
        result: of :func:`mmseg.apis.inference_model`.
        out_file: where to write the picture, ``.png`` or ``.jpg``.
        opacity: 0 shows the image, 1 the colours.
        legend: ``right`` or ``bottom`` of the picture, ``auto``: where there is more room, None: no legend.

    Returns:
        (H, W, 3) uint8 RGB, larger than the image where there is a legend.

    Raises:
        ValueError: image and result differ in size, or the opacity or place is not known.
    """
    label = result.pred_sem_seg.data[0].cpu().numpy()
    drawing = Drawing(model.dataset_meta['classes'], model.dataset_meta['palette'], opacity, legend)
    picture = drawing.draw('overlay', as_bgr(image)[..., ::-1], label)
    if out_file is not None:
        save_picture(picture, Path(out_file))
    return picture
