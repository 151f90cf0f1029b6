"""ProDA's stage 1 from given outputs of the networks: labels, losses, gradients, prototypes, averaged teacher."""

import numpy as np
import torch
from torch import nn

from mmseg.models.data_preprocessor import SegDataPreProcessor
from mmseg.models.decode_heads import FCNHead
from mmseg.models.uda.components.ema_teacher import EMATeacher
from mmseg.models.uda.components.prototype_distance import prototype_weights
from mmseg.models.uda.components.rectification import IGNORE
from mmseg.models.uda.proda import TEACHER, ProDA
from mmseg.registry import MODELS
from mmseg.structures import DomainBatch, SegOutput, TrainBatch
from tests.goldens.drivers.pbal import networks
from tests.goldens.drivers.pbal.proda_label_strong import THEIRS, changes_of
from tests.goldens.harness import state_tensors


class GivenOutputs(nn.Module):
    """A segmentor that answers images of one number (0: source, 1: target, 2: strong, 3: whole) with stored maps."""

    align_corners = True

    def __init__(self, classes, channels):
        super().__init__()
        self.num_classes = classes
        self.decode_head = FCNHead(
            in_channels=1,
            channels=channels,
            num_classes=classes,
            num_convs=1,
            align_corners=True,
            loss_decode={'type': 'CrossEntropyLoss', 'avg_non_ignore': True},
        )
        self.maps = {}

    def forward(self, images, crop_box=None):
        features, logits = self.maps[int(images[0, 0, 0, 0])]
        return SegOutput([], {'main': logits}, features)

    def losses(self, out, labels, weight=None):
        found = self.decode_head.losses(out.logits, labels, weight)
        return {f'decode.{name}': value for name, value in found.items()}


MODELS.register_module(name='GivenOutputs', module=GivenOutputs, force=True)


def run(case):
    options = case.meta['options']
    method, leaves = method_of(case, options)
    crop, full, batch = options['crop'], options['full_image'], len(case.inputs['ema_feat'])

    def images(number, size):
        return torch.full((batch, 3, *size), float(number), dtype=torch.float64)

    weak = case.inputs['weak']
    views = zip(weak['size_hw'].tolist(), weak['crop_yyxx'].tolist(), weak['flip'].tolist(), strict=True)
    meta = [{'crop_from': size, 'crop_box': box, 'flip': flip} for size, box, flip in views]
    target = DomainBatch(images(1, crop), whole=images(3, full), meta=meta)
    decisions = {
        'soft_labels': case.tensor('soft'),
        'strong_view': changes_of(case),
        'strong_images': images(2, crop),
    }
    step = method.prepare(TrainBatch(DomainBatch(images(0, crop), case.tensor('src_lbl')), target), decisions)
    ours = torch.where(step.labels == IGNORE, THEIRS, step.labels)
    np.testing.assert_array_equal(ours.numpy(), case.arrays['out/rectified_label'])
    before = method.prototypes.vectors.clone()
    log = method.run_passes(step)
    method.finish(step)
    found = losses_of(log, options['hyper'])
    found['prototype_weight'] = prototype_weights(step.distances, method.tau)
    found['prototype_delta'] = method.prototypes.vectors - before
    found['ema_delta'] = ema_delta(case)
    for name, leaf in leaves.items():
        gradient = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
        found[f'grad_{name}'] = gradient
    for name in case.meta['outputs']:
        if name != 'rectified_label':
            networks.check(case, name, found[name])


def method_of(case, options):
    hyper = options['hyper']
    prototypes = case.tensor('prototypes')
    plain = not hyper.get('rce', True)
    method = ProDA(
        {'type': 'GivenOutputs', 'classes': len(prototypes), 'channels': prototypes.shape[1]},
        data_preprocessor=SegDataPreProcessor(mean=[0.0] * 3, std=[255.0] * 3),
        rectify=hyper.get('proto_rectify', True),
        tau=hyper.get('proto_temperature', 1.0),
        threshold=hyper.get('train_thred', 0.0),
        ce_weight=1.0 if plain else hyper['rce_alpha'],
        rce_weight=0.0 if plain else hyper['rce_beta'],
        regulariser=hyper.get('regular_type', 'MRKLD'),
        regulariser_weight=hyper.get('regular_w', 0.0),
        consistency_weight=hyper.get('proto_consistW', 0.0),
        prototype_momentum=hyper['proto_momentum'] if hyper.get('moving_prototype', True) else 0.0,
        strong_view={'replay': 'published', 'label_stride': options.get('scale', 4)},
    ).double()
    method.prototypes.set(prototypes, method.prototypes.counts)
    leaves = {name: case.tensor(name).requires_grad_() for name in ('src_out', 'tgt_out', 'strong_feat')}
    method.student.maps = {0: (None, leaves['src_out']), 1: (None, leaves['tgt_out'])}
    method.student.maps[2] = leaves['strong_feat'], case.tensor('src_out')
    method.ema_model.maps = {3: (case.tensor('ema_feat'), case.tensor('ema_out'))}
    return method.train(), leaves


def losses_of(log, hyper):
    """The case's losses, unweighted where they are so there."""
    target = {name: value for name, value in log.items() if name.startswith('trg.') and 'loss' in name}
    ce_weight = hyper['rce_alpha'] if hyper.get('rce', True) else 1.0
    found = {
        'source_ce': log['decode.loss_seg'],
        'target_ce': target['trg.decode.loss_seg'] / ce_weight,
        'loss_target': sum(target.values()),
        'loss': sum(target.values()) + log.get('strong.loss_consistency', 0.0),
    }
    for ours, theirs, weight in (
        ('trg.loss_rce', 'reverse_ce', 'rce_beta'),
        ('trg.loss_reg', 'regulariser', 'regular_w'),
        ('strong.loss_consistency', 'loss_consist', 'proto_consistW'),
    ):
        if ours in log:
            found[theirs] = log[ours] / hyper[weight]
    return found


def ema_delta(case):
    """What one averaging changes in the small layer that stands for the two networks."""
    layers = {}
    for role in ('ema_student', 'ema_teacher'):
        state = state_tensors(case.inputs[role])
        layers[role] = nn.Linear(*state['weight'].shape[::-1]).double()
        layers[role].load_state_dict(state)
    before = torch.cat([value.detach().flatten().clone() for value in layers['ema_teacher'].parameters()])
    EMATeacher(**TEACHER).update(layers['ema_teacher'], layers['ema_student'], iteration=0)
    return torch.cat([value.detach().flatten() for value in layers['ema_teacher'].parameters()]) - before
