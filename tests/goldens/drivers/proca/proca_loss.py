"""The adaptation's losses on given features and class scores: masks, prototypes, gradients."""

import numpy as np
import torch
from torch import nn

from mmseg.models.decode_heads import DLV2Head
from mmseg.models.resize import resize_labels
from mmseg.models.uda import ProCA
from mmseg.models.uda.components.contrast import IGNORE
from mmseg.structures import DomainBatch, SegOutput, TrainBatch
from tests.goldens.drivers.proca import networks
from tests.goldens.drivers.proca.prototype_estimator import original_counts, rule_of


class Given(nn.Module):
    """Gives features and class scores in the place of a network."""

    def __init__(self, options, channels):
        super().__init__()
        losses = networks.model_config({**options, 'model': 'resnet50'}, options['LAMBDA_LOV'])['decode_head']
        self.decode_head = DLV2Head(
            channels, options['num_classes'], align_corners=True, loss_decode=losses['loss_decode']
        )
        self.num_classes = options['num_classes']
        self.outputs = []

    def forward(self, images, crop_box=None):
        feature, logits = self.outputs.pop(0)
        return SegOutput([feature], {'main': logits}, feature)

    def losses(self, out, labels, weight=None):
        return {f'decode.{key}': value for key, value in self.decode_head.losses(out.logits, labels, weight).items()}


def method_of(case, student):
    """The method with the case's settings and prototypes, in float64."""
    options = case.meta['options']
    method = ProCA(
        student,
        temperature=options['TAU'],
        threshold=options['DELTA'],
        feature_weight=options['LAMBDA_FEAT'],
        output_weight=options['LAMBDA_OUT'] if options['MULTI_LEVEL'] else 0,
        rule=rule_of(options),
    ).double()
    for name, contrast in method.contrasts.items():
        contrast.bank.set(case.tensor(f'proto_{name}'), case.tensor(f'amount_{name}'))
    return method


def run(case):
    meta, options = case.meta, case.meta['options']
    student = Given(options, case.inputs['srcfeat0'].shape[1])
    method = method_of(case, student)
    for i in range(meta['inputs']['iterations']):
        names = (('srcfeat', 'srclogit'), ('tgtfeat', 'tgtlogit'))
        given = [[case.tensor(f'{name}{i}').requires_grad_() for name in pair] for pair in names]
        student.outputs = [tuple(pair) for pair in given]
        labels = case.tensor(f'label{i}')
        watch = Watch(method, options)
        blank = torch.zeros(len(labels), 3, *labels.shape[1:], dtype=torch.float64)
        log = method.compute_gradients(TrainBatch(DomainBatch(blank, labels), DomainBatch(blank)))
        check_losses(case, i, log)
        watch.check(case, i)
        sizes = [pair[0].shape[2:] for pair in given]
        source_mask = resize_labels(labels, sizes[0])
        np.testing.assert_array_equal(source_mask.flatten().numpy(), case.arrays[f'src_mask{i}'])
        np.testing.assert_array_equal(watch.target_labels.flatten().numpy(), case.arrays[f'tgt_mask{i}'])
        ignored = float((watch.target_labels == IGNORE).double().mean())
        np.testing.assert_allclose(ignored, meta['target_ignored_fraction'][i], rtol=1e-6)
        assert abs(float(log['trg.kept']) - (1 - ignored)) < 1e-9
        for pair, tensors in zip(names, given, strict=True):
            for name, tensor in zip(pair, tensors, strict=True):
                check_gradient(case, f'{name}{i}', tensor)


def check_losses(case, i, log):
    """The case's losses of an iteration; its contrasts are sums over domains, before their weights."""
    meta, options = case.meta, case.meta['options']
    weights = {'feat': options['LAMBDA_FEAT'], 'out': options['LAMBDA_OUT']}
    ours = {'loss_sup': log['decode.loss_seg'] + log.get('decode.loss_lovasz', 0)}
    ours |= {
        f'loss_{name}': (log[f'src.loss_{name}'] + log[f'trg.loss_{name}']) / weights[name]
        for name in weights
        if f'src.loss_{name}' in log
    }
    if 'loss_lov' in meta['losses']:
        ours['loss_lov'] = log['decode.loss_lovasz'] / options['LAMBDA_LOV']
    assert set(ours) == set(meta['losses']), f'{set(ours)} instead of {set(meta["losses"])}'
    rtol = meta.get('rtol_losses', meta.get('rtol'))
    for name, values in meta['losses'].items():
        check_loss(f'{name} {i}', float(ours[name]), values[i], rtol)
    if 'total' in meta:
        total = sum(float(value) for name, value in log.items() if 'loss' in name)
        check_loss(f'total {i}', total, meta['total'][i], rtol)


def check_loss(title, ours, expected, rtol):
    if np.isnan(expected):
        # The original's mean over no target position at all; here such a domain adds 0.
        assert np.isfinite(ours), title
        return
    np.testing.assert_allclose(ours, expected, rtol=rtol, err_msg=title)


def check_gradient(case, name, tensor):
    stored = case.arrays.get(f'grad_{name}')
    if stored is None:
        assert tensor.grad is None or not tensor.grad.any(), f'{name}: a gradient where the original has none'
        return
    networks.close(f'gradient {name}', tensor.grad, stored, case.meta['rtol'], case.meta['atol_rel_to_absmax'])


class Watch:
    """Sees each update of the prototypes, and the target's labels."""

    def __init__(self, method, options):
        self.options = options
        self.seen = {name: [] for name in method.contrasts}
        self.target_labels = None
        self.counts = None
        for name, contrast in method.contrasts.items():
            contrast.update = self._recorded(name, contrast)

    def _recorded(self, name, contrast):
        def update(out, labels, domain):
            if domain == 'target':
                self.target_labels = labels
            before = contrast.bank.counts.clone()
            type(contrast).update(contrast, out, labels, domain)
            self.seen[name].append((contrast.bank.vectors.clone(), (contrast.bank.counts - before).numpy()))

        return update

    def check(self, case, i, slack=0):
        """Prototypes and counts after the two updates of an iteration, target then source.

        ``slack`` positions may have another label than in the original: counts are off by as many at most, and only
        prototypes of classes whose count is the original's are compared.
        """
        rtol = case.meta.get('rtol', case.meta.get('rtol_arrays'))
        absmax = case.meta.get('atol_rel_to_absmax', rtol)
        for name, updates in self.seen.items():
            for number, (vectors, new) in enumerate(updates, start=2 * i):
                stored = case.arrays[f'proto_{name}'][number]
                amounts = case.arrays[f'amount_{name}']
                start = amounts[number - 1] if number else case.inputs[f'amount_{name}']
                counts = original_counts(self.options, start, new)
                np.testing.assert_allclose(counts, amounts[number], rtol=0, atol=slack)
                same = counts == amounts[number]
                networks.close(f'{name} {number}', vectors[same], stored[same], rtol, absmax)
