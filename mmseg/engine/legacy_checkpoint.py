"""Weights from checkpoints of any layout: ours, the originals' training checkpoints, and the published ones.

A training checkpoint holds a whole method: the student under ``model.``, its averaged teacher under ``ema_model.``,
often the frozen ImageNet copy under ``imnet_model.``. A published one holds the student alone, with or without that
prefix. Nothing loads partly: every key of the network must be there, and no other.
"""

from __future__ import annotations

import os
import pickle
import re
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from mmseg.engine.legacy_networks import convert_original

SEGMENTOR_PARTS = ('backbone.', 'neck.', 'decode_head.', 'auxiliary_head.')
STUDENTS = ('model.', 'stu_model.')
TEACHER = 'ema_model.'
# What lies beside a bare segmentor's keys in some files and belongs to the method or to data handling.
OTHERS = (
    'ema_model.',
    'imnet_model.',
    'mic.',
    'model_D.',
    'loss_fn_D.',
    'cu_model.',
    'ca_model.',
    'data_preprocessor.',
)
SHOWN_KEYS = 4
TRUST_ADVICE = 'if you trust where it comes from, add --trust-checkpoint'
# How a file of torch.save begins: a zip archive, or before PyTorch 1.6 a pickled magic number.
TORCH_FILE_STARTS = (b'PK\x03\x04', b'\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19')
# Before PyTorch 0.1.10: a tar archive, which bears its mark at this byte.
TAR_MARK, TAR_MARK_AT = b'ustar', 257


def load_student(
    model: nn.Module, checkpoint_path: str | os.PathLike[str], *, ema: bool = False, trust: bool = False
) -> dict[str, Any]:
    """Load the trained network of a checkpoint into a bare segmentor.

    Args:
        model: the segmentor; its attribute ``num_classes`` is named if the class counts differ.
        checkpoint_path: a training checkpoint, a student-only or a published one.
        ema: take the teacher instead of the student.
        trust: read files that need pickle; only for files from a trusted source, as they can run any code.

    Returns:
        The checkpoint's ``meta``, empty if it has none.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a checkpoint, no such network in it, or it does not fit; one line that says where.
    """
    checkpoint = read_checkpoint(checkpoint_path, trust)
    try:
        state = without_unused(model, select_segmentor_state(state_dict_of(checkpoint), ema))
        load_strictly(model, state)
    except ValueError as error:
        raise ValueError(f'{checkpoint_path}: {error}') from None
    meta = checkpoint.get('meta')
    return dict(meta) if isinstance(meta, Mapping) else {}


def state_dict_of(checkpoint: Mapping[str, Any]) -> Mapping[str, Tensor]:
    """The state dict in a checkpoint: its entry of that name, or the flat file itself; networks kept apart joined.

    Raises:
        ValueError: it holds no tensors.
    """
    if (converted := convert_original(checkpoint)) is not None:
        return converted
    state = checkpoint.get('state_dict', checkpoint)
    if not isinstance(state, Mapping) or not any(isinstance(value, Tensor) for value in state.values()):
        raise ValueError('holds no weights (neither a state_dict nor tensors by name)')
    return state


def select_segmentor_state(state_dict: Mapping[str, Any], ema: bool = False) -> dict[str, Any]:
    """Those entries that belong to the segmentor, under the segmentor's own names.

    Args:
        state_dict: of a method (``model.``, ``ema_model.``, ...), of a student, or bare; ``module.`` of parallel
            wrappers may stand in front of a key or after such a prefix.
        ema: take the teacher instead of the student.

    Raises:
        ValueError: the teacher is asked for and not there.
    """
    plain = {re.sub(r'^module\.', '', key): value for key, value in state_dict.items()}
    owners = (TEACHER,) if ema else STUDENTS
    for owner in owners:
        state = {key.removeprefix(owner): value for key, value in plain.items() if key.startswith(owner)}
        if state:
            return {re.sub(r'^module\.', '', key): value for key, value in state.items()}
    if ema:
        raise ValueError(f'holds no teacher ({TEACHER}*); without --ema the student is evaluated')
    return {key: value for key, value in plain.items() if not key.startswith(OTHERS)}


def without_unused(model: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What is left when parts that a module does without, and says so in ``unused_parts``, are not loaded."""
    unused = [
        f'{name}.{part}.' for name, module in model.named_modules() for part in getattr(module, 'unused_parts', ())
    ]
    left = {key: value for key, value in state.items() if not key.startswith(tuple(unused))}
    if len(left) < len(state):
        print_log(f'Not loaded, as the config does without: {", ".join(unused)}', 'current')
    return left


def load_strictly(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """``load_state_dict`` that says in one line what does not fit.

    Raises:
        ValueError: another number of classes, or missing, unexpected or differently shaped entries.
    """
    own = model.state_dict()
    differing = {key: value for key, value in state.items() if key in own and value.shape != own[key].shape}
    classes = getattr(model, 'num_classes', None)
    counts = {value.shape[0] for key, value in differing.items() if _only_classes_differ(value, own[key], classes)}
    if len(counts) == 1:
        raise ValueError(f'checkpoint has {counts.pop()} classes, the config {classes}')
    shapes = [f'{key} {_shape(value)} instead of {_shape(own[key])}' for key, value in differing.items()]
    problems = [
        f'{len(names)} {what} ({_shortened(names)})'
        for what, names in (
            ('missing', [key for key in own if key not in state]),
            ('unexpected', [key for key in state if key not in own]),
            ('of another shape', shapes),
        )
        if names
    ]
    if problems:
        raise ValueError(f'does not fit the network of the config: {"; ".join(problems)}')
    model.load_state_dict(state)


def _only_classes_differ(stored: Tensor, own: Tensor, classes: int | None) -> bool:
    same_rank = stored.ndim == own.ndim > 0
    return same_rank and own.shape[0] == classes and stored.shape[0] != classes and stored.shape[1:] == own.shape[1:]


def _shape(tensor: Tensor) -> str:
    return 'x'.join(map(str, tensor.shape))


def _shortened(names: list[str]) -> str:
    more = len(names) - SHOWN_KEYS
    return ', '.join(names[:SHOWN_KEYS]) + (f', ... {more} more' if more > 0 else '')


def read_checkpoint(path: str | os.PathLike[str], trust: bool = False) -> dict[str, Any]:
    """Read a checkpoint to the CPU without running code from it.

    Tensors, numbers and strings, and NumPy scalars (``best_iou`` in older files), are read; a file with other objects
    needs ``trust``.

    Raises:
        FileNotFoundError: no such file.
        ValueError: other objects in it, or not a checkpoint at all.
    """
    checkpoint = read_torch_file(path, trust)
    if not isinstance(checkpoint, Mapping):
        raise ValueError(f'{path}: not a checkpoint (holds a {type(checkpoint).__name__})')
    return dict(checkpoint)


def read_torch_file(path: str | os.PathLike[str], trust: bool = False, advice: str = TRUST_ADVICE) -> Any:
    """What ``torch.save`` wrote, whatever it is, in the way and with the errors of :func:`read_checkpoint`.

    Args:
        path: of the file.
        trust: read a file that can run code.
        advice: what to do about such a file, for the message.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'{path}: no such checkpoint')
    if is_old_tar(path):
        if not trust:
            raise ValueError(
                f"{path}: is in PyTorch's old tar format (before 0.1.10), which can run code when read; {advice}"
            )
    elif not _start_of(path, 16).startswith(TORCH_FILE_STARTS):
        raise ValueError(f'{path}: not a checkpoint of PyTorch')
    try:
        with torch.serialization.safe_globals(_numpy_scalar_globals()):
            return torch.load(path, map_location='cpu', weights_only=not trust)
    except (
        pickle.UnpicklingError,
        RuntimeError,
        OSError,
        EOFError,
        ValueError,
        LookupError,
        AttributeError,
        ImportError,
        TypeError,
        struct.error,
    ) as error:
        raise ValueError(_reading_problem(path, str(error), trust, advice)) from None


def is_old_tar(path: str | os.PathLike[str]) -> bool:
    """Whether a file is in the format of PyTorch before 0.1.10, which only pickle reads."""
    return _start_of(path, TAR_MARK_AT + len(TAR_MARK)).endswith(TAR_MARK, TAR_MARK_AT)


def _start_of(path: str | os.PathLike[str], length: int) -> bytes:
    with open(path, 'rb') as file:
        return file.read(length)


def _reading_problem(path: str | os.PathLike[str], reason: str, trust: bool, advice: str) -> str:
    # PyTorch words this case in several ways; all name what it would not build or call.
    unsafe = re.search(r'GLOBAL (\S+)|unrecognized function (\S+)|allowlisted\s.*got (.+)', reason)
    if unsafe and not trust:
        culprit = next(group for group in unsafe.groups() if group)
        return f'{path}: holds Python objects ({culprit}) that can run code when read; {advice}'
    first_sentence = re.split(r'\. |\n', reason)[0] or 'damaged'
    return f'{path}: cannot be read as a checkpoint ({first_sentence})'


def _numpy_scalar_globals() -> list[Any]:
    """What rebuilding a NumPy number needs, under the module paths of old and new NumPy."""
    kinds = {type(np.dtype(code)) for code in 'fdeilqhbBHILQ?'}
    return [np.dtype, *kinds, _scalar_of('numpy.core.multiarray'), _scalar_of('numpy._core.multiarray')]


def _scalar_of(module: str) -> Callable[[np.dtype, bytes], np.generic]:
    def scalar(dtype: np.dtype, data: bytes) -> np.generic:
        return np.frombuffer(data, dtype)[0]

    scalar.__module__, scalar.__qualname__ = module, 'scalar'
    return scalar
