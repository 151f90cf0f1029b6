"""Where the time of a training step goes: its parts on one timeline, on a CPU or a GPU."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch


class Timeline:
    """Marks the moments at which one part of a step ends and the next begins.

    On a GPU the marks are events in its queue, so they measure the device and cost no waiting.

    Args:
        device: where the step computes.
    """

    def __init__(self, device: torch.device) -> None:
        self.on_gpu = device.type == 'cuda'
        self.current = 'other'
        self._marks: list[tuple[str, Any]] = []

    def switch(self, name: str) -> str:
        """From now on the time belongs to ``name``; returns what it belonged to."""
        previous, self.current = self.current, name
        if self.on_gpu:
            moment: Any = torch.cuda.Event(enable_timing=True)
            moment.record()
        else:
            moment = time.perf_counter()
        self._marks.append((name, moment))
        return previous

    def part(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function``, whose time belongs to ``name``; afterwards it goes back to whom it belonged."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            previous = self.switch(name)
            try:
                return function(*args, **kwargs)
            finally:
                self.switch(previous)

        return timed

    def start_of(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function``, at whose start ``name`` begins; it lasts until something else does."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            self.switch(name)
            return function(*args, **kwargs)

        timed.__name__ = getattr(function, '__name__', name)
        return timed

    def milliseconds(self) -> dict[str, float]:
        """Time by part since the last call, longest first."""
        if self.on_gpu:
            torch.cuda.synchronize()
        total: dict[str, float] = defaultdict(float)
        for (name, begin), (_, end) in zip(self._marks, self._marks[1:], strict=False):
            total[name] += begin.elapsed_time(end) if self.on_gpu else 1000 * (end - begin)
        self._marks = []
        return dict(sorted(total.items(), key=lambda item: -item[1]))


def watch(method: Any, optim_wrapper: Any, timeline: Timeline) -> None:
    """Put the parts of a method's training step on a timeline, in place.

    The parts are ``prepare`` (bytes to images, mixing, jitter), ``teacher``, ``EMA``, ``ImageNet features``,
    ``guidance``, each pass under its own name with its backward, and ``optimizer``.
    """
    method.prepare = timeline.part('prepare', method.prepare)
    method.label_target = timeline.part('teacher', method.label_target) if hasattr(method, 'label_target') else None
    for owner in (getattr(method, 'teacher', None), getattr(getattr(method, 'mic', None), 'teacher', None)):
        if owner is not None and hasattr(owner, 'update'):
            owner.update = timeline.part('EMA', owner.update)
    encoder = getattr(method, 'imnet_model', None)
    if encoder is not None:
        encoder.forward = timeline.part('ImageNet features', encoder.forward)
    guidance = getattr(method, 'depth_guidance', None)
    if guidance is not None:
        guidance.assess = timeline.part('guidance', guidance.assess)
    passes = method.passes
    method.passes = lambda: [timeline.start_of(one_pass.__name__, one_pass) for one_pass in passes()]
    method.update = timeline.part('optimizer', method.update)
    method.finish = timeline.part('other', method.finish)
    optim_wrapper.zero_grad = timeline.part('optimizer', optim_wrapper.zero_grad)
