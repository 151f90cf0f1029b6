"""The whole head: logits, losses, gradients to features, to the stage before and to the weights."""

from mmseg.registry import MODELS
from tests.goldens.drivers.pmdav2 import compare
from tests.goldens.drivers.pmdav2.networks import CONV, with_weights
from tests.goldens.harness import Case


def run(case: Case) -> None:
    settings = dict(case.meta['head'])
    loss = {'type': 'CrossEntropyLoss', 'loss_weight': settings.pop('loss_weight', 1.0)}
    common = {'num_classes': case.meta['num_classes'], 'dropout_ratio': case.meta['dropout_ratio'], 'loss_decode': loss}
    head = with_weights(case, MODELS.build({'type': 'PMDAV2', **settings, **common, **CONV}))
    features = [case.tensor(f'feat{i}').requires_grad_() for i in range(len(case.meta['inputs']['feats']))]
    previous = case.tensor('prev').requires_grad_()
    weight = case.tensor('weight') if 'weight' in case.inputs else None

    out = head(features, previous)
    losses = head.losses(out.logits, case.tensor('gt')[:, 0], weight)
    losses['loss_seg'].backward()
    read = features[case.meta['head']['in_index']]
    compare.outputs(case, {'logits': out.logits['main'], 'grad_prev': previous.grad, 'grad_feat': read.grad})
    compare.scalars(case, losses | compare.named_buffers(head))
    compare.rows(case, compare.named_gradients(head) | compare.named_buffers(head))
