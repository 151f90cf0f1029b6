"""Encoders in evaluation mode: every level of features."""

from __future__ import annotations

import torch

from tests.goldens.drivers.architectures import compare
from tests.goldens.drivers.architectures.network import build
from tests.goldens.harness import Case


def run(case: Case) -> None:
    with torch.no_grad():
        features = build(case).eval()(case.tensor('img'))
    compare.outputs(case, {f'feat{i}': feature for i, feature in enumerate(features)})
