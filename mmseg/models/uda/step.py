"""What the passes of one training iteration share, and what each of them returns."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from torch import Tensor

Losses = dict[str, Tensor]


class Step(SimpleNamespace):
    """What the passes of one iteration share; a method's ``prepare`` adds its own attributes.

    Attributes:
        source: the labelled domain, a :class:`DomainBatch` with labels.
        target: the unlabelled domain, a :class:`DomainBatch`; None if the training has none.
        decisions: random decisions by name: those handed in, and those drawn since.
        shown: predictions for the training panel.
    """

    source: Any
    target: Any
    decisions: dict[str, Any]
    shown: dict[str, Tensor]

    def decide(self, name: str, draw: Callable[..., Any], *args: Any) -> Any:
        """The decision that was handed in under this name, or else ``draw(*args)``."""
        if name not in self.decisions:
            self.decisions[name] = draw(*args)
        return self.decisions[name]
