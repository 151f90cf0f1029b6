"""Exporting a trained network to one file that needs neither this repository nor its config."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from mmseg.engine.export_check import Agreement, agreement, check_batches, trained_logits
from mmseg.engine.export_formats import FORMATS, ExportError, Metadata, trace
from mmseg.engine.export_network import ExportableSegmentor
from mmseg.engine.export_padding import SIZE_DIVISOR, fixed_same_padding


def export_network(
    preprocessor: nn.Module,
    segmentor: nn.Module,
    path: Path,
    file_format: str,
    metadata: Metadata,
    *,
    batch: int = 1,
    shape: tuple[int, int] = (512, 1024),
    dynamic: bool = False,
    tolerance: float = 1e-3,
    report: Callable[[Agreement], None] | None = None,
) -> Metadata:
    """Write a file and compare it with the trained network; ``path`` exists only if they agree.

    Args:
        preprocessor: how images are normalised.
        segmentor: the trained network, in evaluation mode afterwards.
        path: of the file.
        file_format: one of ``FORMATS``.
        metadata: written into the file, with ``size_divisor`` added; its ``output`` says what the file gives.
        batch: images at a time.
        shape: height and width of the images in pixels.
        dynamic: leave batch size, height and width free; of networks with TensorFlow's padding, height and width remain
            multiples of 32.
        tolerance: allowed difference, as a share of the largest absolute score.
        report: called with each comparison.

    Returns:
        The metadata as written.

    Raises:
        ImportError: a package for this format is missing.
        ExportError: the network cannot be exported.
        ValueError: the file does not do what the network does, or the network's own complaint about the shape.
    """
    if getattr(segmentor, 'shows_attention', False):
        raise ValueError(
            "decode_head.test_output='ATT' shows attention, but class scores are exported: set it to 'fused'"
        )
    written = FORMATS[file_format]
    output = metadata['output']
    if dynamic:
        program, divisor = _trace_dynamic(preprocessor, segmentor, output, batch, shape)
    else:
        images = torch.zeros(batch, 3, *shape, dtype=torch.uint8)
        program, divisor = _traced(ExportableSegmentor(preprocessor, segmentor, output), images), 1
    metadata = {**metadata, 'size_divisor': divisor}
    height, width = (_multiple(side, divisor) for side in shape)

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f'.{path.stem}.partial{written.suffix}')
    try:
        written.write(program, partial, metadata)
        run, _ = written.read(partial)
        for images in check_batches(batch, height, width, dynamic, divisor):
            logits = trained_logits(preprocessor, segmentor, images)
            result = agreement(images, run(images), logits, output)
            if report is not None:
                report(result)
            if not result.holds(tolerance):
                raise ValueError(
                    f'{path}: not written, as the exported network differs from the trained one by '
                    f'{result.difference:.3g} where scores go up to {result.scale:.3g} '
                    f'(--tolerance {tolerance:g}), for images {tuple(images.shape)}'
                )
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return metadata


def _trace_dynamic(
    preprocessor: nn.Module, segmentor: nn.Module, output: str, batch: int, shape: tuple[int, int]
) -> tuple[ExportedProgram, int]:
    """The graph for free sizes, and what height and width must be multiples of."""
    if hasattr(segmentor, 'draw_crop_box'):
        raise ExportError(f'the detail windows of {type(segmentor).__name__} are as many as the size asks for')
    height, width = (_multiple(side, SIZE_DIVISOR) for side in shape)
    # Tracing fixes a size of 1, and takes two sizes that equal each other for one.
    width += SIZE_DIVISOR * (width == height)
    images = torch.zeros(max(batch, 2), 3, height, width, dtype=torch.uint8)
    with fixed_same_padding() as strides:
        with torch.no_grad():
            ExportableSegmentor(preprocessor, segmentor)(images)
        divisor = SIZE_DIVISOR if any(stride > 1 for stride in strides) else 1
        return _traced(ExportableSegmentor(preprocessor, segmentor, output, divisor), images, dynamic=True), divisor


def _traced(network: ExportableSegmentor, images: Tensor, dynamic: bool = False) -> ExportedProgram:
    with torch.no_grad():
        network(images)  # what the network itself has to say about this size comes first
    return trace(network, images, dynamic)


def _multiple(size: int, divisor: int) -> int:
    return -(-size // divisor) * divisor
