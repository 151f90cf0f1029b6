"""The two files a network is exported to, ONNX and ``torch.export``: writing them, and running them from the file."""

from __future__ import annotations

import importlib.util
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.export import ExportedProgram

from mmseg.engine.export_network import INPUT_NAME, ExportableSegmentor

Metadata = dict[str, Any]
Run = Callable[[Tensor], Tensor]

ONNX_PACKAGES = ('onnx', 'onnxscript', 'onnxruntime')
METADATA_FILE = 'metadata.json'
AXES = {0: 'batch', 2: 'height', 3: 'width'}
"""Which axes of the images are free in a dynamic export."""


class ExportError(ValueError):
    """An exporter, or who runs its file, cannot do what the network needs."""


def trace(network: ExportableSegmentor, images: Tensor, dynamic: bool = False) -> ExportedProgram:
    """The network as a graph of tensor operations, the first step to every format.

    Args:
        network: what to export.
        images: (B, 3, H, W) uint8; the sizes of the graph, or with ``dynamic`` an example of them.
        dynamic: leave batch size, height and width free.

    Raises:
        ExportError: PyTorch cannot trace it; its first sentence says why.
    """
    sizes = {INPUT_NAME: dict.fromkeys(AXES, torch.export.Dim.DYNAMIC)} if dynamic else None
    try:
        with _quiet():
            program = torch.export.export(network, (images,), dynamic_shapes=sizes, strict=False)
    except (RuntimeError, ValueError, TypeError, AssertionError, AttributeError) as error:
        kind = type(network.segmentor).__name__
        raise ExportError(f'torch.export cannot trace this {kind}: {first_sentence(error)}') from error
    for node in program.graph.nodes:
        # They name the files of whoever exports.
        node.meta.pop('stack_trace', None)
    return program


def write_torch_export(program: ExportedProgram, path: Path, metadata: Metadata) -> None:
    """Write a ``.pt2`` file, the metadata as ``metadata.json`` in it."""
    with _quiet():
        torch.export.save(program, path, extra_files={METADATA_FILE: json.dumps(metadata, indent=2)})


def read_torch_export(path: Path) -> tuple[Run, Metadata]:
    """The network of a ``.pt2`` file and its metadata."""
    extra_files = {METADATA_FILE: ''}
    with _quiet():
        module = torch.export.load(path, extra_files=extra_files).module()

    def run(images: Tensor) -> Tensor:
        try:
            return module(images)
        except (RuntimeError, AssertionError, ValueError) as error:
            raise ExportError(_run_problem(images, error)) from error

    return run, json.loads(extra_files[METADATA_FILE])


def check_onnx_packages() -> None:
    """Whether ONNX files can be written and run here.

    Raises:
        ImportError: naming what to install.
    """
    missing = [name for name in ONNX_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(f'--format onnx needs {", ".join(missing)}; run: pip install {" ".join(ONNX_PACKAGES)}')


def write_onnx(program: ExportedProgram, path: Path, metadata: Metadata) -> None:
    """Write an ONNX file with weights and metadata in it.

    PyTorch's other exporter, which records TorchScript, is on its way out; this one needs ``onnxscript``.

    Raises:
        ImportError: a package is missing.
        ExportError: an operation has no counterpart in ONNX.
    """
    check_onnx_packages()
    import onnx

    try:
        with _quiet():
            exported = torch.onnx.export(
                program,
                dynamo=True,
                input_names=[INPUT_NAME],
                output_names=[metadata['output']],
                external_data=False,
                verbose=False,
            )
    except (RuntimeError, ValueError, TypeError, AssertionError) as error:
        raise ExportError(f'cannot be translated to ONNX: {first_sentence(error)}') from error
    assert exported is not None  # None is what the older exporter gives
    model = exported.model_proto
    _name_axes(model)
    _strip_traces(model)
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in metadata.items()}
    onnx.helper.set_model_props(model, texts)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def read_onnx(path: Path) -> tuple[Run, Metadata]:
    """The network of an ONNX file, run by onnxruntime on the CPU, and its metadata.

    Raises:
        ImportError: a package is missing.
        ExportError: onnxruntime does not know an operation in it.
    """
    check_onnx_packages()
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as states

    errors = tuple(kind for kind in vars(states).values() if isinstance(kind, type) and issubclass(kind, Exception))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # its errors are raised, too
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])
    except errors as error:
        raise ExportError(f'onnxruntime cannot load the exported network: {first_sentence(error)}') from error
    texts = session.get_modelmeta().custom_metadata_map

    def run(images: Tensor) -> Tensor:
        try:
            return torch.from_numpy(session.run(None, {INPUT_NAME: images.numpy()})[0])
        except errors as error:
            raise ExportError(_run_problem(images, error)) from error

    return run, {key: _value(text) for key, text in texts.items()}


class Format(NamedTuple):
    """A kind of file: its suffix, how it is written and how it is run."""

    suffix: str
    write: Callable[[ExportedProgram, Path, Metadata], None]
    read: Callable[[Path], tuple[Run, Metadata]]


FORMATS: Mapping[str, Format] = {
    'onnx': Format('.onnx', write_onnx, read_onnx),
    'torch-export': Format('.pt2', write_torch_export, read_torch_export),
}


def first_sentence(error: BaseException) -> str:
    """The innermost reason of an exporter's error, whose messages run over pages."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f'{type(error).__name__}: {lines[0].rstrip(".") if lines else "no reason given"}'


def _run_problem(images: Tensor, error: BaseException) -> str:
    return f'the exported network fails on images {tuple(images.shape)}: {first_sentence(error)}'


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _name_axes(model: Any) -> None:
    """Free axes under their names; the exporter calls them s77, s27, ..."""
    axes = model.graph.input[0].type.tensor_type.shape.dim
    names = {axes[number].dim_param: name for number, name in AXES.items() if axes[number].dim_param}
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        for axis in value.type.tensor_type.shape.dim:
            if axis.dim_param in names:
                axis.dim_param = names[axis.dim_param]
    if not names:
        return
    sizes = model.graph.output[0].type.tensor_type.shape.dim
    for axis, name in zip((sizes[0], *list(sizes)[-2:]), AXES.values(), strict=True):
        axis.Clear()
        axis.dim_param = name


def _strip_traces(model: Any) -> None:
    """Without the Python lines that each node came from: they name the files of whoever exports."""
    for graph in (model.graph, *model.functions):
        for node in graph.node:
            del node.metadata_props[:]
            node.doc_string = ''
        for value in graph.value_info:
            del value.metadata_props[:]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporters' warnings about their own insides; what matters raises."""
    loggers = [logging.getLogger(name) for name in ('torch.onnx', 'onnxscript', 'onnx_ir')]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
