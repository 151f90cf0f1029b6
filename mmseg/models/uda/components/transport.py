"""Transport costs between target features and class prototypes, in both directions.

References: PBAL (Ren et al., IEEE TMM 2023), bidirectional prototype learning, in the form of its code, which calls
the cost per pixel "s2t" and that per class "t2s"; the form is that of PCT (Tanwisuth et al., NeurIPS 2021).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor

from mmseg.engine.gradient_sync import reduce_max, reduce_sum, world_size
from mmseg.models.precision import at_least_float32, without_autocast
from mmseg.models.uda.components.contrast import classifier_rows, own_logits, prototype_logits
from mmseg.structures import SegOutput


class TransportCosts(NamedTuple):
    """Both directions, scalars with gradient.

    Attributes:
        per_pixel: each pixel to the prototypes of the classes that it may have.
        per_class: each prototype to the pixels that may have its class.
    """

    per_pixel: Tensor
    per_class: Tensor


def transport_costs(features: Tensor, logits: Tensor, prototypes: Tensor) -> TransportCosts:
    """Expected cosine distances, with c(k, p) = 1 - cos(f_p, w_k).

    ``per_pixel`` is the mean over pixels of sum_k softmax_k(z_p) c(k, p); ``per_class`` the mean over **classes** of
    sum_p softmax_p(z_k) c(k, p), whose softmax is over all pixels of all images and processes. So every class counts
    the same, however few pixels it has.

    Args:
        features: f, (B, A, h, w).
        logits: z, (B, C, h, w).
        prototypes: w, (C, A).
    """
    with without_autocast(features.device):
        logits = at_least_float32(logits)
        costs = 1 - prototype_logits(features, prototypes, temperature=1.0)
        per_pixel = (logits.softmax(dim=1) * costs).sum(dim=1).mean()
        return TransportCosts(per_pixel, _softmax_mean_over_pixels(logits, costs).mean())


def _softmax_mean_over_pixels(logits: Tensor, costs: Tensor) -> Tensor:
    """Of each class (C,): mean of the costs over all pixels, weighted with the softmax of the class's logits."""
    highest = reduce_max(logits.detach().amax(dim=(0, 2, 3)))
    share = (logits - highest[:, None, None]).exp()
    weighted, mass = (share * costs).sum(dim=(0, 2, 3)), share.sum(dim=(0, 2, 3))
    if world_size() == 1:
        return weighted / mass
    total = reduce_sum(mass)
    mean = reduce_sum(weighted) / total
    # This process's part of the quotient's gradient; gradients are averaged over processes afterwards.
    part = (weighted - mean * mass) / total * world_size()
    return mean + part - part.detach()


class PrototypeTransport:
    """The two costs with the rows of the student's classifier as prototypes.

    Args:
        per_pixel: weight of the cost per pixel.
        per_class: weight of the cost per class.
        detach: no gradient moves the prototypes towards the features (they still learn through the logits).

    Raises:
        ValueError: for negative weights.
    """

    def __init__(self, per_pixel: float = 0.1, per_class: float = 0.1, detach: bool = True) -> None:
        if min(per_pixel, per_class) < 0:
            raise ValueError(f'uda.transport: weights are at least 0, not {per_pixel} and {per_class}')
        self.weights = {'pixel': per_pixel, 'class': per_class}
        self.detach = detach

    @staticmethod
    def check(student: Any) -> None:
        """Raise ValueError for a student whose classifier has no rows."""
        classifier_rows(student, 'uda.transport')

    def __call__(self, out: SegOutput, student: Any) -> dict[str, Tensor]:
        """``loss_transport_pixel`` and ``loss_transport_class``, times their weights.

        Args:
            out: of the student for target images, with gradient.
            student: for its classifier.
        """
        assert out.embedding is not None
        rows = classifier_rows(student)
        costs = transport_costs(out.embedding, own_logits(out), rows.detach() if self.detach else rows)
        return {
            f'loss_transport_{name}': weight * cost
            for (name, weight), cost in zip(self.weights.items(), costs, strict=True)
        }
