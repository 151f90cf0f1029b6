"""A segmentor of a few hundred weights that keeps the contract of the real ones."""

import torch
import torch.nn.functional as F
from torch import nn

from mmseg.registry import MODELS
from mmseg.structures import DomainBatch, SegOutput, TrainBatch

NUM_CLASSES = 5
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


class ToyBackbone(nn.Module):
    def __init__(self, pretrained_loaded, dropout):
        super().__init__()
        self.pretrained_loaded = pretrained_loaded
        self.first = nn.Conv2d(3, 6, 3, 2, 1)
        self.norm = nn.BatchNorm2d(6)
        self.dropout = nn.Dropout(dropout)
        self.second = nn.Conv2d(6, 8, 3, 4, 1)

    def forward(self, images):
        first = self.dropout(F.relu(self.norm(self.first(images))))
        return [first, self.second(first)]


@MODELS.register_module()
class ToySegmentor(nn.Module):
    num_classes = NUM_CLASSES
    align_corners = False

    def __init__(self, pretrained_loaded=False, dropout=0.0, neck=None, auxiliary=False):
        super().__init__()
        self.backbone = ToyBackbone(pretrained_loaded, dropout)
        self.neck = neck
        self.decode_head = nn.Conv2d(8, NUM_CLASSES, 1)
        if auxiliary:
            self.auxiliary_head = nn.Conv2d(6, NUM_CLASSES, 1)

    @property
    def auxiliary_heads(self):
        return {'aux': self.auxiliary_head} if hasattr(self, 'auxiliary_head') else {}

    def forward(self, images, crop_box=None):
        features = self.backbone(images)
        logits = {name: head(features[0]) for name, head in self.auxiliary_heads.items()}
        return SegOutput(features, {'main': self.decode_head(features[-1]), **logits})

    def losses(self, out, labels, weight=None):
        logits = F.interpolate(out.logits['main'], size=labels.shape[1:], mode='bilinear')
        loss = F.cross_entropy(logits, labels, reduction='none', ignore_index=255)
        loss = (loss if weight is None else loss * weight).mean()
        return {'decode.loss_seg': loss, 'decode.acc_seg': (logits.argmax(1) == labels).to(loss.dtype).mean() * 100}

    def feature_views(self, images, crop_box=None):
        return [images]

    def compared_features(self, out, labels):
        return [(out.features[-1], labels)]

    def small_logits(self, images):
        return self(images).logits['main'], images.shape[2:]

    def encode_decode(self, images):
        logits, size = self.small_logits(images)
        return F.interpolate(logits, size=size, mode='bilinear')

    def predict(self, images, data_samples):
        return list(self.encode_decode(images).argmax(1))


@MODELS.register_module()
class ToyPreprocessor(nn.Module):
    """Batches are made ready by the tests."""

    def __init__(self):
        super().__init__()
        self.register_buffer('mean', torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(STD).view(3, 1, 1), persistent=False)

    def forward(self, data, training=False):
        return data['batch'] if training else data


def model_config(**settings):
    return {'type': 'ToySegmentor', 'data_preprocessor': {'type': 'ToyPreprocessor'}, **settings}


def config(uda=None, **settings):
    return {'model': model_config(**settings), 'uda': uda, 'train_cfg': {'max_iters': 10}}


def random_batch(batch=2, size=(32, 48), seed=0, target=True, valid=False, dtype=torch.float64):
    """Images of noise; blocky labels with some 255."""
    generator = torch.Generator().manual_seed(seed)

    def images():
        return torch.randn(batch, 3, *size, generator=generator, dtype=dtype)

    labels = torch.randint(0, NUM_CLASSES, (batch, size[0] // 8, size[1] // 8), generator=generator)
    labels[:, 0, 0] = 255
    labels = labels.repeat_interleave(8, 1).repeat_interleave(8, 2)
    mask = torch.rand(batch, *size, generator=generator) > 0.2 if valid else None
    return TrainBatch(DomainBatch(images(), labels), DomainBatch(images(), valid=mask) if target else None)
