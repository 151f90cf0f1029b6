"""Prototype contrast: a position's feature should be nearer to its own class's prototype than to the others'.

References: ProCA (Jiang et al., ECCV 2022), equations 3 to 6, in the form of its code: cosines and means; PBAL's
contrast with the classifier's rows is the same with other settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg.engine.gradient_sync import reduce_sum, world_size
from mmseg.models.precision import at_least_float32, without_autocast
from mmseg.models.resize import resize_labels
from mmseg.models.uda.components.prototypes import PrototypeBank
from mmseg.structures import IGNORE, SegOutput

EPS = 1e-12
LEVELS = ('feature', 'output')
PROTOTYPES = ('bank', 'classifier')
DIVISORS = ('labelled', 'all')
CONFIDENCES = ('probability', 'logit')
UPDATES = ('both', 'source', 'fixed')


def prototype_logits(features: Tensor, prototypes: Tensor, temperature: float) -> Tensor:
    """Cosines of features with prototypes, over the temperature.

    Features are multiplied first and divided by their lengths afterwards: no normalised copy of them.

    Args:
        features: (B, A, h, w).
        prototypes: (C, A); one that is zero, of a class never seen, has the cosine 0.
        temperature: tau.

    Returns:
        (B, C, h, w), at least float32.
    """
    with without_autocast(features.device):
        features = at_least_float32(features)
        directions = F.normalize(at_least_float32(prototypes).to(features.dtype), eps=EPS)
        products = torch.einsum('ca,bahw->bchw', directions, features)
        length = torch.linalg.vector_norm(features, dim=1, keepdim=True)
        return products / (torch.where(length > EPS, length, 1) * temperature)


def prototype_contrast(
    features: Tensor,
    labels: Tensor,
    prototypes: Tensor,
    temperature: float,
    divisor: str = 'labelled',
    weight: Tensor | None = None,
) -> Tensor:
    """Cross-entropy of the cosines with the labels, over all processes' positions; 0 where nothing is labelled.

    Args:
        features: (B, A, h, w).
        labels: (B, h, w) int64; what is no class is ignored.
        prototypes: (C, A).
        temperature: tau.
        divisor: the sum is divided by the number of ``labelled`` positions, or of ``all``.
        weight: (B, h, w) factor on each position's loss.
    """
    labels = labels.masked_fill((labels < 0) | (labels >= len(prototypes)), IGNORE)
    logits = prototype_logits(features, prototypes, temperature)
    losses = F.cross_entropy(logits, labels, reduction='none', ignore_index=IGNORE)
    if weight is not None:
        losses = losses * weight.to(losses.dtype)
    counted = labels != IGNORE if divisor == 'labelled' else torch.ones_like(labels)
    count = reduce_sum(counted.sum())
    # Gradients are averaged over processes afterwards, hence the factor.
    return losses.sum() * world_size() / count.clamp(min=1)


class PrototypeContrast(BaseModule):
    """A contrast of one level of the network, with what it compares to.

    Args:
        temperature: tau; ProCA 50, PBAL 0.07.
        weight: lambda, factor on the loss.
        level: ``feature``, the input of the last classifier (HRDA: of the context branch), or ``output``, the class
            scores.
        prototypes: ``bank``, running means of the features, or ``classifier``, the rows of the last 1x1 convolution.
        detach: no gradient flows into the classifier's rows (a bank never has any).
        divisor: ``labelled`` or ``all``, see :func:`prototype_contrast`.
        threshold: on images without labels a position takes part if the network's own confidence reaches this.
        confidence: what is compared with the threshold, the highest ``probability``, or as in ProCA's code the highest
            ``logit``.
        update: which domains the bank follows: ``both``, ``source`` alone, or it stays ``fixed``.
        rule, sync: of :class:`PrototypeBank`.

    Attributes:
        bank: the prototypes; None if they are the classifier's rows.

    Raises:
        ValueError: for a setting that does not exist or makes no sense.
    """

    bank: PrototypeBank | None

    def __init__(
        self,
        temperature: float = 0.07,
        weight: float = 1.0,
        level: str = 'feature',
        prototypes: str = 'bank',
        detach: bool = True,
        divisor: str = 'labelled',
        threshold: float = 0.9,
        confidence: str = 'probability',
        update: str = 'both',
        rule: str | Mapping[str, Any] = 'pixel_mean',
        sync: bool = True,
    ) -> None:
        super().__init__()
        if not temperature > 0:
            raise ValueError(f'uda.contrast: temperature is above 0, not {temperature}')
        choices = {
            'level': (level, LEVELS),
            'prototypes': (prototypes, PROTOTYPES),
            'divisor': (divisor, DIVISORS),
            'confidence': (confidence, CONFIDENCES),
            'update': (update, UPDATES),
        }
        for name, (value, known) in choices.items():
            if value not in known:
                raise ValueError(f'uda.contrast: {name} {value!r} does not exist, choose one of {", ".join(known)}')
        if prototypes == 'classifier' and level == 'output':
            raise ValueError("uda.contrast: the classifier's rows are compared with features: level='feature'")
        self.temperature = temperature
        self.weight = weight
        self.level = level
        self.prototypes = prototypes
        self.detach = detach
        self.divisor = divisor
        self.threshold = threshold
        self.confidence = confidence
        self.update_domains = update
        self._bank_options: dict[str, Any] = {'rule': rule, 'sync': sync}
        self.bank = None

    def attach(self, student: Any) -> PrototypeContrast:
        """Make the bank that suits a segmentor.

        Raises:
            ValueError: the head has no feature before its classifier, or no classifier of rows.
        """
        if self.prototypes == 'classifier':
            classifier_rows(student)
            return self
        channels = student.num_classes if self.level == 'output' else embedding_channels(student)
        self.bank = PrototypeBank(student.num_classes, channels, **self._bank_options)
        return self

    def view(self, out: SegOutput) -> Tensor:
        """What of a segmentor's output is compared, (B, A, h, w).

        Raises:
            ValueError: the head gave no embedding.
        """
        if self.level == 'output':
            return own_logits(out)
        if out.embedding is None:
            raise ValueError("uda.contrast: the head gives no feature before its classifier (embedding); level='output'"
                             ' compares class scores')  # fmt: skip
        return out.embedding

    @torch.no_grad()
    def confident(self, out: SegOutput, labels: Tensor | None = None) -> Tensor:
        """Labels (B, h, w) of images without ground truth, 255 where the network is not confident enough.

        Args:
            out: of the segmentor.
            labels: (B, H, W) that somebody else gave; None = the network's own prediction.
        """
        logits = at_least_float32(own_logits(out))
        scores, prediction = (logits.softmax(dim=1) if self.confidence == 'probability' else logits).max(dim=1)
        chosen = prediction if labels is None else resize_labels(labels, prediction.shape[1:])
        return chosen.masked_fill(scores < self.threshold, IGNORE)

    @torch.no_grad()
    def update(self, out: SegOutput, labels: Tensor, domain: str) -> None:
        """The bank takes in features with labels (B, H, W) of ``source`` or ``target``, if it follows that domain."""
        if self.bank is not None and self.update_domains in ('both', domain):
            features = self.view(out).detach()
            self.bank.update(features, resize_labels(labels, features.shape[2:]))

    def forward(self, out: SegOutput, labels: Tensor, student: Any, weight: Tensor | None = None) -> Tensor:
        """The loss, times its weight.

        Args:
            out: of the segmentor, with gradient.
            labels: (B, H, W), 255 = ignore.
            student: the segmentor, for its classifier.
            weight: (B, H, W) factor on each position's loss.
        """
        features = self.view(out)
        size = features.shape[2:]
        weight = None if weight is None else resize_labels(weight, size)
        if self.bank is not None:
            # A copy: the bank may move on before the backward.
            prototypes = self.bank.vectors.clone()
        else:
            rows = classifier_rows(student)
            prototypes = rows.detach() if self.detach else rows
        labels = resize_labels(labels, size)
        loss = prototype_contrast(features, labels, prototypes, self.temperature, self.divisor, weight)
        return self.weight * loss


def own_logits(out: SegOutput) -> Tensor:
    """Class scores on the grid of the embedding: HRDA's context prediction, else the main one, (B, C, h, w)."""
    return out.logits.get('context', out.logits['main'])


def last_head(student: Any) -> nn.Module:
    """The head whose classifier comes last: of a cascade the last one, of HRDA that of both views."""
    head = student.decode_head
    head = head[-1] if isinstance(head, (nn.ModuleList, nn.Sequential)) else head
    return getattr(head, 'head', head)


def embedding_channels(student: Any) -> int:
    """Width of the feature before the last classifier.

    Raises:
        ValueError: the head has none.
    """
    head = last_head(student)
    channels = getattr(head, 'embedding_channels', None)
    if channels is None:
        raise ValueError(
            f"uda.contrast: {type(head).__name__} has no feature before its classifier; level='output' compares class "
            'scores'
        )
    return int(channels)


def classifier_rows(student: Any, key: str = 'uda.contrast') -> Tensor:
    """Rows (C, A) of the last 1x1 convolution, with gradient; ``key`` is the setting that a message names.

    Raises:
        ValueError: the head's classifier is something else.
    """
    head = last_head(student)
    classifier = getattr(head, 'classifier', None)
    if not isinstance(classifier, nn.Conv2d) or classifier.kernel_size != (1, 1):
        raise ValueError(
            f'{key}: {type(head).__name__} does not classify with a 1x1 convolution, whose rows could be prototypes; '
            "a contrast can take prototypes='bank' instead"
        )
    return classifier.weight.flatten(1)
